import type { Freeze } from '#common/control/control.ts';
import type { DesiredState } from '#common/desired.ts';
import type { KnownHost } from '../../fleet/host.ts';

/** The world as a plan is made for it. */
export interface PreviewContext {
  /** The newest state of the key. */
  readonly desired: DesiredState;
  readonly hosts: readonly KnownHost[];
  readonly freeze?: Freeze;
  readonly now: Date;
}

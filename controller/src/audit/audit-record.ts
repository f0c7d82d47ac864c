import type { Control } from '#common/control/control.ts';
import type { DesiredState } from '#common/desired.ts';
import type { Transition } from '#common/rollout/rollout.ts';

/** Who changed what, and from what to what. */
export type AuditRecord = KeyChange | RolloutChange | ControlChange;

export interface KeyChange {
  readonly kind: 'key';
  /** Absent on create. */
  readonly old?: DesiredState;
  readonly new: DesiredState;
}

export interface RolloutChange {
  readonly kind: 'rollout';
  readonly rollout: string;
  readonly key: string;
  readonly transition: Transition;
}

export interface ControlChange {
  readonly kind: 'control';
  /** Absent for the first. */
  readonly old?: Control;
  /** With a note. */
  readonly new: Control;
}

/** The same mutation gives the same record, whether written at once or by a later reconciliation. */
export function keyChange(previous: DesiredState | undefined, next: DesiredState): KeyChange {
  const isFirst = next.change.action === 'create' || previous === undefined;
  return { kind: 'key', ...(isFirst ? {} : { old: previous }), new: next };
}

export function controlChange(previous: Control | undefined, next: Control): ControlChange {
  const isFirst = previous === undefined || previous.generation === 0n;
  return { kind: 'control', ...(isFirst ? {} : { old: previous }), new: next };
}

export function rolloutChange(
  { id, spec }: { readonly id: string; readonly spec: { readonly key: string } },
  transition: Transition,
): RolloutChange {
  return { kind: 'rollout', rollout: id, key: spec.key, transition };
}

/** One for each change there can be. */
export function auditId(record: AuditRecord): string {
  switch (record.kind) {
    case 'key':
      return keyChangeId(record.new);
    case 'rollout':
      return `rollout:${record.rollout}:${record.transition.sequence}`;
    case 'control':
      return `control:${record.new.generation}`;
  }
}

export function keyChangeId(state: Pick<DesiredState, 'name' | 'generation'>): string {
  return `${state.name}:${state.generation}`;
}

/** When the change was made, which is before its record was written. */
export function auditTime(record: AuditRecord): Date {
  switch (record.kind) {
    case 'key':
      return record.new.change.time;
    case 'rollout':
      return record.transition.time;
    case 'control':
      return record.new.note?.time ?? new Date(0);
  }
}

import type { Control } from '#common/control/control.ts';
import type { DesiredState } from '#common/desired.ts';
import type { Transition } from '#common/rollout/rollout.ts';
import { type AuditRecord, controlChange, keyChange, rolloutChange } from './audit-record.ts';

/** A rollout record, as far as the audit looks at it. */
interface AuditedRollout {
  readonly id: string;
  readonly spec: { readonly key: string };
  readonly transitions: readonly Transition[];
}

/** What is kept of each kind of change, by which missing records are found. Each history is oldest first. */
export interface Histories {
  readonly keys: () => Iterable<readonly DesiredState[]>;
  readonly rollouts: () => Iterable<AuditedRollout>;
  readonly control: () => readonly Control[];
}

/** The records that there must be. The oldest of a history is taken for the first there was. */
export function expectedRecords({ keys, rollouts, control }: Histories): AuditRecord[] {
  const records: AuditRecord[] = [];
  for (const history of keys()) {
    for (const [index, state] of history.entries()) {
      records.push(keyChange(history[index - 1], state));
    }
  }
  for (const rollout of rollouts()) {
    for (const transition of rollout.transitions) records.push(rolloutChange(rollout, transition));
  }
  for (const [index, next] of control().entries()) {
    records.push(controlChange(control()[index - 1], next));
  }
  return records;
}

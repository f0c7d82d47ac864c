import type { Control } from '#common/control/control.ts';
import type { DesiredState } from '#common/desired.ts';
import type { Transition } from '#common/rollout/rollout.ts';
import type { Outline } from '../keys/lineage.ts';
import {
  type AuditRecord,
  auditId,
  auditTime,
  controlChange,
  keyChange,
  keyChangeId,
  rolloutChange,
} from './audit-record.ts';

/** A rollout record, as far as the audit looks at it. */
interface AuditedRollout {
  readonly id: string;
  readonly spec: { readonly key: string };
  readonly transitions: readonly Transition[];
}

/** What is kept of each kind of change. Each history is oldest first, and its oldest is taken for the first there was. */
export interface Histories {
  readonly keys: () => Iterable<Outline<DesiredState>>;
  readonly rollouts: () => Iterable<AuditedRollout>;
  readonly control: () => readonly Control[];
}

/** When the oldest kept change was made; undefined when there is none. */
export function oldestChange(histories: Histories): Date | undefined {
  const times = [...histories.keys()].map(({ oldest }) => oldest.change.time);
  for (const record of otherRecords(histories)) times.push(auditTime(record));
  return times.reduce<Date | undefined>(
    (oldest, time) => (oldest && oldest < time ? oldest : time),
    undefined,
  );
}

/**
 * The records that there must be, and are not.
 *
 * @param audited ids of the records that there are
 */
export function missingRecords(
  histories: Histories,
  audited: ReadonlySet<string>,
): readonly AuditRecord[] {
  const records = otherRecords(histories);
  for (const { oldest, claimed, history } of histories.keys()) {
    const { name } = oldest;
    if (claimed.every((generation) => audited.has(keyChangeId({ name, generation })))) continue;
    const states = history();
    records.push(...states.map((state, index) => keyChange(states[index - 1], state)));
  }
  return records.filter((record) => !audited.has(auditId(record)));
}

function otherRecords({ rollouts, control }: Histories): AuditRecord[] {
  const records: AuditRecord[] = [];
  for (const rollout of rollouts()) {
    for (const transition of rollout.transitions) records.push(rolloutChange(rollout, transition));
  }
  const controls = control();
  for (const [index, next] of controls.entries()) {
    records.push(controlChange(controls[index - 1], next));
  }
  return records;
}

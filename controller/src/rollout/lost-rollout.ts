import type { DesiredState } from '#common/desired.ts';
import type { RolloutRecord } from '#common/rollout/rollout.ts';
import { DEFAULT_LIMITS } from '#common/rollout/spec-wire.ts';
import { newRecord } from './step/new-record.ts';

/**
 * A record for a rollout whose own is gone, as after the loss of its bucket, while its rules are still in its key: just
 * enough to give it up, so that the rules are taken out like those of any other.
 *
 * @returns undefined when no rollout has rules in the key
 */
export function lostRecord(
  { name, rules }: DesiredState,
  creator: string,
  now: Date,
): RolloutRecord | undefined {
  const rule = rules.find(({ rollout }) => rollout);
  if (!rule?.rollout) return undefined;
  const { id } = rule.rollout;
  const width = Math.max(1, rule.rollout.width);
  const spec = {
    key: name,
    value: rule.value,
    selector: '',
    steps: [{ reach: { kind: 'hosts', hosts: width } as const, bakeMs: 0, gates: [], hold: false }],
    limits: DEFAULT_LIMITS,
    windows: [],
    approvals: 0,
    description: 'Its record was lost; made anew to give it up.',
    onFailure: 'rollback' as const,
  };
  const approval = { required: 0, approvers: [] };
  const record = newRecord({ id, spec, requestId: '', creator, approval, now });
  return { ...record, state: { ...record.state, width } };
}

import type { RolloutRecord } from '#common/rollout/rollout.ts';
import { nextClosing } from './plan/windows.ts';

/** When time alone moves the rollout next; undefined: never. What was due at `now` has been done. */
export function nextDue({ spec, state }: RolloutRecord, now: Date): Date | undefined {
  const due = [...duesOf(spec, state, now)].filter((time) => time > now);
  return due.sort((a, b) => a.getTime() - b.getTime())[0];
}

function* duesOf(
  spec: RolloutRecord['spec'],
  state: RolloutRecord['state'],
  now: Date,
): Generator<Date, void, void> {
  const { phase, deadlineAt, bakeUntil, blocked, since, widenedAt, gates } = state;
  if (blocked?.until) yield blocked.until;
  const closing = nextClosing(spec.windows, now);
  if (closing) yield closing;
  if (phase !== 'running' && phase !== 'baking' && phase !== 'gating') return;
  if (deadlineAt) yield deadlineAt;
  if (phase === 'running') {
    const from = Math.max(since.getTime(), widenedAt?.getTime() ?? 0);
    yield new Date(from + spec.limits.ackTimeoutMs);
    return;
  }
  if (phase === 'baking' && bakeUntil) yield bakeUntil;
  for (const { nextAt, verdict } of gates) {
    if (phase === 'baking' || verdict === 'open') yield nextAt;
  }
}

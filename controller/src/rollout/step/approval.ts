import { SkeinError } from '#common/errors.ts';
import type { Approval, Block, RolloutRecord } from '#common/rollout/rollout.ts';
import type { Draft } from './draft.ts';

/** What is missing, in words; undefined when enough others have approved. */
export function missingApprovals(record: RolloutRecord, now: Date): string | undefined {
  const { required } = record.approval;
  const expired = record.state.approvals.filter((approval) => !isValid(record, approval, now));
  const given = record.state.approvals.length - expired.length;
  if (given >= required) return undefined;
  const gone = expired.map(({ actor }) => actor).join(', ');
  return `${given} of ${required} approvals${gone === '' ? '' : `; expired: ${gone}`}`;
}

/** What keeps a planned rollout from going on while approvals are missing. */
export function approvalBlock(record: RolloutRecord, now: Date): Block | undefined {
  const missing = missingApprovals(record, now);
  return missing === undefined ? undefined : { reason: `it has ${missing}` };
}

/** @throws SkeinError SKEIN_APPROVAL_REQUIRED */
export function requireApprovals({ record, now }: Draft): void {
  const missing = missingApprovals(record, now);
  if (missing === undefined) return;
  throw new SkeinError('SKEIN_APPROVAL_REQUIRED', `rollout ${record.id} has ${missing}`);
}

/** @throws SkeinError SKEIN_APPROVAL_REQUIRED when the actor is not one whose approval counts */
export function approve(draft: Draft, actor: string): void {
  const { record, state, now } = draft;
  const { approvers } = record.approval;
  if (actor === record.creator) {
    throw new SkeinError(
      'SKEIN_APPROVAL_REQUIRED',
      `rollout ${record.id}: ${actor} started it, and nobody approves a rollout of their own`,
    );
  }
  if (approvers.length > 0 && !approvers.includes(actor)) {
    throw new SkeinError(
      'SKEIN_APPROVAL_REQUIRED',
      `rollout ${record.id}: ${actor} is none of its approvers, ${approvers.join(', ')}`,
    );
  }
  const before = approvalBlock(record, now);
  const others = state.approvals.filter((approval) => approval.actor !== actor);
  const approvals: Approval[] = [...others, { actor, time: now }];
  const { phase, since, pause } = state;
  // It is still in the phase that it was in: only the approval is new.
  draft.move(
    phase,
    { actor, event: 'approve', reason: '' },
    { approvals, since, ...(pause ? { pause } : {}) },
  );
  // The driver says it anew in a moment; whoever approved is to see now what is still missing.
  if (before === undefined || state.blocked?.reason !== before.reason) return;
  const { blocked, ...rest } = draft.state;
  const block = approvalBlock(draft.record, now);
  draft.set(block ? { ...rest, blocked: block } : rest);
}

function isValid({ approval: { validMs } }: RolloutRecord, { time }: Approval, now: Date): boolean {
  return validMs === undefined || time.getTime() + validMs > now.getTime();
}

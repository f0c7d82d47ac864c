import { SkeinError } from '#common/errors.ts';
import type { ApprovalPolicy } from '#common/rollout/rollout.ts';
import type { RolloutSpec } from '#common/rollout/spec.ts';
import { type ApprovalRule, approvalRuleFor } from '../keys/approvals.ts';

/**
 * What the controller's policy asks for, or the spec, whichever is more.
 *
 * @param principals everybody who may call
 * @throws SkeinError SKEIN_BAD_ROLLOUT when there are not so many who may approve
 */
export function approvalPolicyFor(
  { key, approvals }: RolloutSpec,
  creator: string,
  rules: readonly ApprovalRule[],
  principals: readonly string[],
): ApprovalPolicy {
  const rule = approvalRuleFor(key, rules);
  const required = Math.max(approvals, rule?.required ?? 0);
  const approvers = rule?.approvers ?? [];
  const others = (approvers.length > 0 ? approvers : principals).filter((name) => name !== creator);
  if (others.length < required) {
    throw new SkeinError(
      'SKEIN_BAD_ROLLOUT',
      `approvals: ${required} needed, and besides ${creator} ${others.length === 0 ? 'nobody' : `only ${others.length}`} may approve`,
      { remedy: 'Ask for fewer, or have somebody else start it.' },
    );
  }
  const { validMs } = rule ?? {};
  return { required, approvers, ...(validMs === undefined ? {} : { validMs }) };
}

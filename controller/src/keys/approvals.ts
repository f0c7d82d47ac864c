import type { ApprovalPolicy } from '#common/rollout/rollout.ts';

/** Keys that change only by rollouts that others have approved. */
export interface ApprovalRule extends ApprovalPolicy {
  /** Names of keys; `*` stands for any text. */
  readonly keys: readonly string[];
}

/** The first rule that names the key. */
export function approvalRuleFor(
  key: string,
  rules: readonly ApprovalRule[],
): ApprovalRule | undefined {
  return rules.find(({ keys }) => keys.some((pattern) => patternMatches(pattern, key)));
}

function patternMatches(pattern: string, key: string): boolean {
  const parts = pattern.split('*').map((part) => part.replaceAll('.', '\\.'));
  return new RegExp(`^${parts.join('.*')}$`).test(key);
}

import type { Portion, Rule } from '#common/desired.ts';
import { SkeinError } from '#common/errors.ts';
import { labelsOf, type Target } from '#common/targeting/evaluate.ts';
import { portionByRank } from '#common/targeting/portion.ts';
import { matches, normaliseSelector, parseSelector } from '#common/targeting/selector.ts';
import type { DeclaredRule } from './mutation.ts';

/** More rules, or more text in their selectors, and a record would no longer fit what NATS carries by default. */
export const MAX_RULES = 256;
export const MAX_SELECTORS_LENGTH = 128 * 1024;

/** @throws SkeinError SKEIN_INVALID_ARGUMENT naming the key */
export function checkSize(name: string, rules: readonly Rule[]): void {
  const length = rules.reduce((sum, { selector }) => sum + selector.length, 0);
  const wrong =
    rules.length > MAX_RULES
      ? `more than ${MAX_RULES} rules`
      : length > MAX_SELECTORS_LENGTH
        ? `selectors longer than ${MAX_SELECTORS_LENGTH} characters in all`
        : undefined;
  if (wrong === undefined) return;
  throw new SkeinError('SKEIN_INVALID_ARGUMENT', `fleet key "${name}": ${wrong}`, {
    remedy: 'Set the key without a selector, which clears its rules.',
  });
}

/** 100 % needs no portion: hosts that join later are taken in as well. */
export function portionPercent({ percent }: DeclaredRule): number | undefined {
  return percent === 100 ? undefined : percent;
}

/** Whether a stored rule is what was declared, but for the threshold. */
export function isAsDeclared(rule: Rule, declared: DeclaredRule): boolean {
  return (
    hasSelector(rule, declared.selector) &&
    rule.value === declared.value &&
    rule.portion?.percent === portionPercent(declared)
  );
}

/** @param selector normalised */
export function hasSelector(rule: Rule, selector: string): boolean {
  return normaliseSelector(rule.selector) === selector;
}

/**
 * The rule, with a threshold for its percentage.
 *
 * @param older the rule that it takes the place of
 * @param name of the key
 */
export function ruleFor(
  declared: DeclaredRule,
  older: Rule | undefined,
  name: string,
  bound: () => Iterable<Target>,
): Rule {
  const { selector, value } = declared;
  const percent = portionPercent(declared);
  if (percent === undefined) return { selector, value };

  const requirements = parseSelector(selector);
  const hosts = [...bound()]
    .filter((target) => matches(requirements, labelsOf(target)))
    .map(({ host }) => host);
  const ranked = portionByRank(percent, hosts, name);
  // Hosts come and go between two steps, and the rank threshold with them; a host that is in stays in.
  const widens = older?.value === value && older.portion && older.portion.percent <= percent;
  const kept = widens && older.portion.salt === ranked.salt ? older.portion.threshold : 0n;
  const threshold = kept > ranked.threshold ? kept : ranked.threshold;
  return { selector, value, portion: { ...ranked, threshold } };
}

/** Whether two lists of rules say the same, marks included. */
export function areSameRules(some: readonly Rule[], others: readonly Rule[]): boolean {
  return some.length === others.length && some.every((rule, i) => isSameRule(rule, others[i]));
}

function isSameRule(rule: Rule, other: Rule | undefined): boolean {
  return (
    other !== undefined &&
    rule.selector === other.selector &&
    rule.value === other.value &&
    isSamePortion(rule.portion, other.portion) &&
    rule.rollout?.id === other.rollout?.id &&
    rule.rollout?.step === other.rollout?.step &&
    rule.rollout?.width === other.rollout?.width
  );
}

function isSamePortion(portion: Portion | undefined, other: Portion | undefined): boolean {
  return (
    portion?.percent === other?.percent &&
    portion?.threshold === other?.threshold &&
    portion?.salt === other?.salt
  );
}

import type { DesiredState, Rule } from '#common/desired.ts';
import { SkeinError } from '#common/errors.ts';
import { normaliseSelector } from '#common/targeting/selector.ts';
import type { RolloutMutation } from './mutation.ts';
import { hasSelector } from './rules.ts';

/** The rollout whose rules are in force in the key, by their marks. */
export function rolloutOf(rules: readonly Rule[]): string | undefined {
  return rules.find(({ rollout }) => rollout)?.rollout?.id;
}

type DecidingPart = Pick<DesiredState, 'defaultValue' | 'rules'>;

/**
 * What a rollout makes of default and rules.
 *
 * @throws SkeinError SKEIN_KEY_OWNED when another rollout has rules in the key
 */
export function withRolloutChange(state: DesiredState, mutation: RolloutMutation): DecidingPart {
  const { rollout, change } = mutation;
  const isOwn = (rule: Rule) => rule.rollout?.id === rollout;
  const others = state.rules.filter((rule) => !isOwn(rule));
  const own = state.rules.filter(isOwn);
  const other = rolloutOf(others);
  if (other !== undefined) {
    throw new SkeinError('SKEIN_KEY_OWNED', `fleet key "${state.name}": rollout ${other} owns it`);
  }
  const { defaultValue } = state;
  switch (change.kind) {
    case 'release':
      return { defaultValue, rules: others };
    case 'settle':
      return settled(defaultValue, own, others);
    case 'take':
      if (!change.rules.every(isOwn)) {
        const what = `fleet key "${state.name}": rollout ${rollout} takes a rule without its mark`;
        throw new SkeinError('SKEIN_INTERNAL', what);
      }
      return { defaultValue, rules: [...change.rules, ...others] };
  }
}

/** As if the rollout's rules had been set: in place of those with the same selector, before all others. */
function settled(
  defaultValue: boolean,
  own: readonly Rule[],
  others: readonly Rule[],
): DecidingPart {
  const unmarked = own.map(({ rollout: _, ...rule }) => rule);
  const kept = unmarked.filter((rule, i) => !unmarked.slice(i + 1).some((by) => covers(by, rule)));
  const [first] = kept;
  if (first?.selector === '' && !first.portion) return { defaultValue: first.value, rules: [] };
  const selectors = kept.map(({ selector }) => normaliseSelector(selector));
  const rest = others.filter((rule) => !selectors.some((selector) => hasSelector(rule, selector)));
  return { defaultValue, rules: [...kept, ...rest] };
}

/** Whether `by` takes in every host that `rule` takes in, with the same value: a last step that went over a cohort. */
function covers(by: Rule, rule: Rule): boolean {
  if (by.portion || by.value !== rule.value) return false;
  const both = [rule.selector, by.selector].filter((selector) => selector !== '').join(',');
  return normaliseSelector(both) === normaliseSelector(rule.selector);
}

import type { Change, DesiredState, Rule } from '#common/desired.ts';
import { SkeinError } from '#common/errors.ts';
import { labelsOf, type Target } from '#common/targeting/evaluate.ts';
import { portionByRank } from '#common/targeting/portion.ts';
import { matches, normaliseSelector, parseSelector } from '#common/targeting/selector.ts';

/** What an operator asks to do to one fleet key. Selectors are normalised. */
export type Mutation =
  | {
      readonly action: 'create';
      readonly name: string;
      readonly description: string;
      readonly defaultValue: boolean;
    }
  | {
      readonly action: 'set';
      readonly name: string;
      readonly value: boolean;
      readonly selector: string;
      /** 0..100; absent is 100. */
      readonly percent?: number;
    }
  | { readonly action: 'delete'; readonly name: string };

/** Beyond this a key's record no longer fits what NATS carries by default, and nobody can read it. */
export const MAX_RULES = 256;

/**
 * The state that a mutation makes of the current one. A `set` that changes no value still makes a generation:
 * who says "set on" again wants it asserted and acked again; only a request id makes a call idempotent.
 *
 * @param current the newest verified state, a tombstone included; undefined when there never was one
 * @param generation of the new state
 * @param bound hosts that bind the key, or every known host when none does: what a percentage is of
 * @throws SkeinError SKEIN_KEY_NOT_FOUND, SKEIN_KEY_EXISTS, SKEIN_INVALID_ARGUMENT
 */
export function applyMutation(
  current: DesiredState | undefined,
  mutation: Mutation,
  generation: bigint,
  change: Omit<Change, 'action'>,
  bound: Iterable<Target>,
): DesiredState {
  const { name, action } = mutation;
  const made = { name, generation, change: { ...change, action } };
  if (mutation.action === 'create') {
    if (current && !current.deleted) {
      throw new SkeinError('SKEIN_KEY_EXISTS', `fleet key "${name}"`);
    }
    const { defaultValue, description } = mutation;
    return { ...made, defaultValue, description, rules: [], deleted: false };
  }
  if (!current || current.deleted) {
    throw new SkeinError('SKEIN_KEY_NOT_FOUND', `fleet key "${name}"`);
  }
  if (mutation.action === 'delete') return { ...current, ...made, deleted: true };
  if (isForAll(mutation)) {
    return { ...current, ...made, defaultValue: mutation.value, rules: [] };
  }
  const rules = withRule(current.rules, mutation, bound);
  if (rules.length > MAX_RULES) {
    throw new SkeinError(
      'SKEIN_INVALID_ARGUMENT',
      `fleet key "${name}": more than ${MAX_RULES} rules`,
      { remedy: 'Set the key without a selector, which clears its rules.' },
    );
  }
  return { ...current, ...made, rules };
}

type SetMutation = Extract<Mutation, { action: 'set' }>;

/** Whether `state` is what this mutation, asked for by this actor, made: how a retried request is told from a new one. */
export function isResultOf(
  state: DesiredState,
  mutation: Mutation,
  change: Pick<Change, 'actor' | 'reason'>,
): boolean {
  if (
    state.name !== mutation.name ||
    state.change.action !== mutation.action ||
    state.change.actor !== change.actor ||
    state.change.reason !== change.reason
  ) {
    return false;
  }
  switch (mutation.action) {
    case 'delete':
      return true;
    case 'create':
      return (
        state.defaultValue === mutation.defaultValue && state.description === mutation.description
      );
    case 'set': {
      if (isForAll(mutation)) {
        return state.defaultValue === mutation.value && state.rules.length === 0;
      }
      const first = state.rules[0];
      return (
        first !== undefined &&
        first.selector === mutation.selector &&
        first.value === mutation.value &&
        first.portion?.percent === portionPercent(mutation)
      );
    }
  }
}

/** 100 % needs no portion: hosts that join later are taken in as well. */
function portionPercent({ percent }: SetMutation): number | undefined {
  return percent === 100 ? undefined : percent;
}

function isForAll(mutation: SetMutation): boolean {
  return mutation.selector === '' && portionPercent(mutation) === undefined;
}

function withRule(
  rules: readonly Rule[],
  mutation: SetMutation,
  bound: Iterable<Target>,
): readonly Rule[] {
  const { selector, value } = mutation;
  const isSame = (rule: Rule) => normaliseSelector(rule.selector) === selector;
  const older = rules.find(isSame);
  const others = rules.filter((rule) => !isSame(rule));
  const percent = portionPercent(mutation);
  if (percent === undefined) return [{ selector, value }, ...others];

  const requirements = parseSelector(selector);
  const hosts = [...bound]
    .filter((target) => matches(requirements, labelsOf(target)))
    .map(({ host }) => host);
  const ranked = portionByRank(percent, hosts, mutation.name);
  // Hosts come and go between two steps, and the rank threshold with them; a host that is in stays in.
  const widens = older?.value === value && older.portion && older.portion.percent <= percent;
  const kept = widens && older.portion.salt === ranked.salt ? older.portion.threshold : 0n;
  const threshold = kept > ranked.threshold ? kept : ranked.threshold;
  return [{ selector, value, portion: { ...ranked, threshold } }, ...others];
}

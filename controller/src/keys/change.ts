import type { DesiredState } from '#common/desired.ts';
import { SkeinError } from '#common/errors.ts';
import { killed, killedFromTheStart, revived } from './kill.ts';
import type {
  ApplyMutation,
  Mutation,
  MutationContext,
  RevertMutation,
  RolloutMutation,
  SetMutation,
} from './mutation.ts';
import { rolloutOf, withRolloutChange } from './rollout-rules.ts';
import {
  areSameRules,
  checkSize,
  hasSelector,
  isAsDeclared,
  portionPercent,
  ruleFor,
} from './rules.ts';

/** All of a state but which change made it. */
export type Content = Omit<DesiredState, 'name' | 'generation' | 'change'>;

/**
 * The state that a mutation makes of the current one; the current one itself when there is nothing to write. A `set`
 * or a `kill` that changes no value still makes a generation: who says "set on" again wants it asserted and acked
 * again; only a request id makes a call idempotent. Whether the mutation may be made at this time is for admission.ts.
 *
 * @param current the newest verified state, a tombstone included; undefined when there never was one
 * @throws SkeinError SKEIN_KEY_NOT_FOUND, SKEIN_KEY_EXISTS, SKEIN_KEY_OWNED, SKEIN_LEASE_LOST, SKEIN_INVALID_ARGUMENT
 */
export function applyMutation(
  current: DesiredState | undefined,
  mutation: Mutation,
  context: MutationContext,
): DesiredState {
  const { name, action } = mutation;
  const { generation, change } = context;
  const content = contentAfter(current, mutation, context);
  if (content === current) return current;
  if (addsRules(mutation)) checkSize(name, content.rules);
  return { ...content, name, generation, change: { ...change, action } };
}

/** All others must not fail for what is in the key already, kills and roll-backs least of all. */
function addsRules(mutation: Mutation): boolean {
  if (mutation.action === 'rollout') return mutation.change.kind === 'take';
  return mutation.action === 'set' || mutation.action === 'apply';
}

/** `current` itself when nothing changes. */
function contentAfter(
  current: DesiredState | undefined,
  mutation: Mutation,
  context: MutationContext,
): Content {
  const { name } = mutation;
  const living = current && !current.deleted ? current : undefined;
  if (mutation.action === 'create') {
    if (living) throw new SkeinError('SKEIN_KEY_EXISTS', `fleet key "${name}"`);
    const { defaultValue, description } = mutation;
    return made({ defaultValue, description, rules: [] }, current, context);
  }
  if (mutation.action === 'apply') return applied(current, mutation, context);
  if (!living) throw new SkeinError('SKEIN_KEY_NOT_FOUND', `fleet key "${name}"`);
  switch (mutation.action) {
    case 'set':
      return afterSet(living, mutation, context);
    case 'delete':
      return { ...withoutExpiry(living), deleted: true };
    case 'kill':
      return killed(living, mutation);
    case 'revive':
      return revived(living, mutation);
    case 'revert':
      return reverted(living, mutation, context.change.time);
    case 'rollout':
      return afterRollout(living, mutation);
  }
}

/** A key that was not there. The fence stays: a driver of old may still be writing. */
function made(
  declared: Pick<Content, 'defaultValue' | 'description' | 'rules'>,
  tombstone: DesiredState | undefined,
  { killAll }: MutationContext,
): Content {
  return {
    ...declared,
    deleted: false,
    ...(tombstone?.fence === undefined ? {} : { fence: tombstone.fence }),
    ...(killAll ? killedFromTheStart(killAll.value) : {}),
  };
}

function applied(
  current: DesiredState | undefined,
  mutation: ApplyMutation,
  context: MutationContext,
): Content {
  const { name, description, defaultValue } = mutation;
  const living = current && !current.deleted ? current : undefined;
  const rules = mutation.rules.map((declared) => {
    const older = living?.rules.find((rule) => hasSelector(rule, declared.selector));
    // Hosts that came or went do not make what is declared another rule.
    return older && isAsDeclared(older, declared) && !older.rollout
      ? older
      : ruleFor(declared, older, name, context.bound);
  });
  if (!living) return made({ defaultValue, description, rules }, current, context);
  const isSo =
    living.defaultValue === defaultValue &&
    living.description === description &&
    !living.expiry &&
    areSameRules(living.rules, rules);
  return isSo ? living : { ...withoutExpiry(living), defaultValue, description, rules };
}

function afterSet(
  current: DesiredState,
  mutation: SetMutation,
  { change, bound }: MutationContext,
): Content {
  const { name, value, selector, ttlMs } = mutation;
  const rest = withoutExpiry(current);
  // A second time to live does not make what the first one put in force the state to go back to.
  const { defaultValue, rules } = current.expiry ?? current;
  const at = ttlMs === undefined ? undefined : new Date(change.time.getTime() + ttlMs);
  const expiry = at ? { expiry: { at, defaultValue, rules } } : {};
  if (selector === '' && portionPercent(mutation) === undefined) {
    return { ...rest, ...expiry, defaultValue: value, rules: [] };
  }
  const older = current.rules.find((rule) => hasSelector(rule, selector));
  const others = current.rules.filter((rule) => !hasSelector(rule, selector));
  return { ...rest, ...expiry, rules: [ruleFor(mutation, older, name, bound), ...others] };
}

/** What a rollout has in force is not reverted: the time to live waits for its end. */
function reverted(current: DesiredState, { epoch }: RevertMutation, now: Date): Content {
  assertFence(current, epoch);
  const { expiry } = current;
  if (!expiry || expiry.at > now || rolloutOf(current.rules) !== undefined) return current;
  const { defaultValue, rules } = expiry;
  return { ...withoutExpiry(current), defaultValue, rules, fence: epoch };
}

function afterRollout(current: DesiredState, mutation: RolloutMutation): Content {
  const { epoch, change } = mutation;
  assertFence(current, epoch);
  const { defaultValue, rules } = withRolloutChange(current, mutation);
  const isSo = defaultValue === current.defaultValue && areSameRules(current.rules, rules);
  if (isSo) return current;
  // A roll-back gives the key back as it was, its time to live included.
  const rest = change.kind === 'settle' ? withoutExpiry(current) : current;
  return { ...rest, defaultValue, rules, fence: epoch };
}

function assertFence({ name, fence = 0n }: DesiredState, epoch: bigint): void {
  if (epoch >= fence) return;
  throw new SkeinError(
    'SKEIN_LEASE_LOST',
    `fleet key "${name}": lease epoch ${epoch} is over, ${fence} has written`,
  );
}

function withoutExpiry(state: DesiredState): DesiredState {
  const { expiry: _, ...rest } = state;
  return rest;
}

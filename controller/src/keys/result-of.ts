import type { Change, DesiredState } from '#common/desired.ts';
import type { Mutation, SetMutation } from './mutation.ts';
import { isAsDeclared, portionPercent } from './rules.ts';

/** Whether `state` is what this mutation, asked for by this actor, made: how a retried request is told from a new one. */
export function isResultOf(
  state: DesiredState,
  mutation: Mutation,
  change: Pick<Change, 'actor' | 'reason'>,
): boolean {
  return (
    state.name === mutation.name &&
    state.change.action === mutation.action &&
    state.change.actor === change.actor &&
    state.change.reason === change.reason &&
    hasContent(state, mutation)
  );
}

function hasContent(state: DesiredState, mutation: Mutation): boolean {
  switch (mutation.action) {
    case 'delete':
      return true;
    case 'create':
      return (
        state.defaultValue === mutation.defaultValue && state.description === mutation.description
      );
    case 'set':
      return isSetTo(state, mutation) && ttlOf(state) === mutation.ttlMs;
    case 'apply': {
      const { rules, defaultValue, description } = mutation;
      return (
        state.defaultValue === defaultValue &&
        state.description === description &&
        state.rules.length === rules.length &&
        rules.every((declared, i) => {
          const rule = state.rules[i];
          return rule !== undefined && isAsDeclared(rule, declared);
        })
      );
    }
    case 'kill':
      return state.kill === mutation.value;
    case 'revive':
      return state.kill === undefined;
    // Skein's own carry no request id.
    case 'revert':
    case 'rollout':
      return false;
  }
}

function isSetTo(state: DesiredState, mutation: SetMutation): boolean {
  if (mutation.selector === '' && portionPercent(mutation) === undefined) {
    return state.defaultValue === mutation.value && state.rules.length === 0;
  }
  const [first] = state.rules;
  return first !== undefined && isAsDeclared(first, mutation);
}

function ttlOf({ expiry, change }: DesiredState): number | undefined {
  return expiry && expiry.at.getTime() - change.time.getTime();
}

import type { DesiredState } from '#common/desired.ts';
import type { KillMutation, ReviveMutation } from './mutation.ts';

type Killed = Pick<DesiredState, 'kill' | 'killedByAll'>;

/**
 * A key's own kill and the kill of all keys: the latter puts its value over the former, and gives it back. A key that
 * has the value already by its own kill needs no mark.
 */
export function killed(current: DesiredState, { value, all }: KillMutation): DesiredState {
  const { killedByAll, ...rest } = current;
  if (!all) return { ...rest, kill: value };
  if (current.kill === value) return current;
  const own = killedByAll ? killedByAll.own : current.kill;
  return { ...rest, kill: value, killedByAll: own === undefined ? {} : { own } };
}

/** `current` itself when there is nothing to end. */
export function revived(current: DesiredState, { all }: ReviveMutation): DesiredState {
  const { kill, killedByAll, ...rest } = current;
  if (all) {
    if (!killedByAll) return current;
    return { ...rest, ...(killedByAll.own === undefined ? {} : { kill: killedByAll.own }) };
  }
  return kill === undefined ? current : rest;
}

/** Of a key that is made while all are killed. */
export function killedFromTheStart(value: boolean): Killed {
  return { kill: value, killedByAll: {} };
}

import type { Control, ControlNote } from '#common/control/control.ts';
import type { DesiredState } from '#common/desired.ts';
import type { MutationRequest } from '../keys/key-desk.ts';
import type { Mutation } from '../keys/mutation.ts';

/** What has to be done to a key for the control record to hold. */
export function dueMutation(state: DesiredState, control: Control): Mutation | undefined {
  const { name, deleted, kill, killedByAll } = state;
  const { killAll, generation } = control;
  // That there is no record, as after the loss of its bucket, does not end a kill.
  if (deleted || generation === 0n) return undefined;
  if (killAll) {
    const { value } = killAll;
    return kill === value ? undefined : { action: 'kill', name, value, all: true };
  }
  return killedByAll && { action: 'revive', name, all: true };
}

/** In the name of who killed all keys, or ended that. */
export function requestFor(control: Control, history: readonly Control[]): MutationRequest {
  const who = control.killAll ?? endOfKillAll(history) ?? { actor: 'skein', reason: '' };
  const { actor, reason } = who;
  return { actor, reason, requestId: '', etag: '', validateOnly: false };
}

function endOfKillAll(history: readonly Control[]): ControlNote | undefined {
  return history.findLast(({ killAll }, i) => !killAll && history[i - 1]?.killAll)?.note;
}

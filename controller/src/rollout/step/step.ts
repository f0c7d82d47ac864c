import { SkeinError } from '#common/errors.ts';
import type { RolloutRecord } from '#common/rollout/rollout.ts';
import { Draft } from './draft.ts';
import type { RolloutEffect, RolloutEvent } from './event.ts';
import { act } from './operator.ts';
import { observe } from './world.ts';

export interface Outcome {
  /** The very record that was given when the event changes nothing. */
  readonly record: RolloutRecord;
  /** To be done once the record is stored. */
  readonly effects: readonly RolloutEffect[];
  /** SKEIN_ROLLOUT_PHASE or SKEIN_APPROVAL_REQUIRED: an operator's action that the rollout does not allow now. */
  readonly refusal?: SkeinError;
}

/**
 * The rollout machine: what an event makes of a rollout. Pure; every event is defined in every phase.
 * Whether the key is killed or the line stopped is for the caller to ask before an operator's action.
 */
export function step(record: RolloutRecord, event: RolloutEvent, now: Date): Outcome {
  const draft = new Draft(record, now);
  try {
    if ('actor' in event && event.kind !== 'killed') act(draft, event);
    else observe(draft, event);
  } catch (thrown) {
    if (!(thrown instanceof SkeinError)) throw thrown;
    return { record, effects: [], refusal: thrown };
  }
  return { record: draft.record, effects: draft.effects };
}

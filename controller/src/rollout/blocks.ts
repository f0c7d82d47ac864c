import { type Control, freezeAt } from '#common/control/control.ts';
import type { Block, RolloutRecord } from '#common/rollout/rollout.ts';
import { freezeText } from '../keys/admission.ts';
import { isOpen, nextOpening } from './plan/windows.ts';
import { approvalBlock } from './step/approval.ts';

/** What keeps a rollout from going on at this time; undefined: nothing. */
export function blockOf(record: RolloutRecord, control: Control, now: Date): Block | undefined {
  const { spec, state } = record;
  // What was given up goes back at any time, or stays as it is.
  if (state.phase === 'aborted') return undefined;
  const freeze = freezeAt(control, now);
  if (freeze) {
    return { reason: freezeText(freeze), ...(freeze.until ? { until: freeze.until } : {}) };
  }
  if (state.phase === 'planned') {
    const block = approvalBlock(record, now);
    if (block) return block;
    if (spec.startAt && spec.startAt > now) {
      return { reason: 'its start time has not come', until: spec.startAt };
    }
  }
  if (isOpen(spec.windows, now)) return undefined;
  const opening = nextOpening(spec.windows, now);
  return { reason: 'none of its windows is open', ...(opening ? { until: opening } : {}) };
}

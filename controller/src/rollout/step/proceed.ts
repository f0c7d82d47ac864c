import { missingApprovals } from './approval.ts';
import type { Draft } from './draft.ts';
import { bySkein } from './draft.ts';
import { isEmptyHanded } from './gate.ts';
import { begin, goOn, isSettling, pause } from './phases.ts';

/** Goes on as far as time, gates and what blocks it allow; hosts move a running step. */
export function proceed(draft: Draft): void {
  if (draft.state.phase === 'planned') start(draft);
  if (draft.state.phase === 'baking') endBake(draft);
  if (draft.state.phase === 'gating') endGates(draft);
}

function start(draft: Draft): void {
  const { spec, state, record, now } = draft;
  if (state.blocked || missingApprovals(record, now) !== undefined) return;
  if (spec.startAt && spec.startAt > now) return;
  begin(draft, bySkein('begin', ''));
}

function endBake(draft: Draft): void {
  const { bakeUntil } = draft.state;
  if (bakeUntil && bakeUntil > draft.now) return;
  draft.move('gating', bySkein('baked', ''));
}

function endGates(draft: Draft): void {
  const { spec, state } = draft;
  if (isSettling(spec, state)) return;
  const step = spec.steps[state.step];
  const gates = step?.gates ?? [];
  const empty = gates.find((gate, index) => {
    const progress = state.gates[index];
    return progress && isEmptyHanded(gate, progress);
  });
  if (empty) {
    const reason = `gate ${empty.name} was measured ${empty.count} times without data, and never succeeded`;
    pause(draft, 'gate-no-data', bySkein('gate', reason));
    return;
  }
  if (state.gates.some(({ verdict }) => verdict !== 'passed')) return;
  if (step?.hold) {
    pause(
      draft,
      'hold',
      bySkein('hold', `step ${state.step + 1} is done and waits to be promoted`),
    );
  } else if (!state.blocked) {
    goOn(draft, bySkein('passed', passedBy(gates.length)));
  }
}

function passedBy(gates: number): string {
  if (gates === 0) return 'there is no gate';
  return gates === 1 ? 'its gate passed' : `all ${gates} gates passed`;
}

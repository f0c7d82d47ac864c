import { type Block, isOver } from '#common/rollout/rollout.ts';
import type { Gate } from '#common/rollout/spec.ts';
import { bySkein, type Draft } from './draft.ts';
import type { RolloutEvent, SeenHosts } from './event.ts';
import { counted, type GateNews } from './gate.ts';
import { holdToLimits } from './limits.ts';
import { redo, redoTake, retell } from './outstanding.ts';
import { abort, fail, isGoing, isSettling, pause } from './phases.ts';
import { proceed } from './proceed.ts';
import { widen } from './widen.ts';

/** What the driver reports. None of it is ever refused; what does not concern the phase changes nothing. */
export type WorldEvent = Exclude<RolloutEvent, { actor: string }> | Killed;
type Killed = Extract<RolloutEvent, { kind: 'killed' }>;
type Measured = Extract<RolloutEvent, { kind: 'measured' }>;

export function observe(draft: Draft, event: WorldEvent): void {
  switch (event.kind) {
    case 'tick':
      tick(draft);
      break;
    case 'hosts':
      seeHosts(draft, event.seen);
      break;
    case 'measured':
      seeMeasured(draft, event);
      break;
    case 'blocked':
      seeBlock(draft, event.block);
      break;
    case 'killed':
      seeKill(draft, event);
      break;
    case 'adopted':
      redo(draft);
      retell(draft);
      break;
    case 'lease-lost':
      // Whoever takes it over adopts it; there is nothing that this controller may still do.
      break;
  }
}

function tick(draft: Draft): void {
  const { spec, state, now } = draft;
  const { deadlineAt } = state;
  if (isGoing(state.phase) && !isSettling(spec, state) && deadlineAt && deadlineAt <= now) {
    abort(draft, bySkein('deadline', `not done by ${deadlineAt.toISOString()}`), true);
    return;
  }
  proceed(draft);
  measureDue(draft);
}

function measureDue(draft: Draft): void {
  const { spec, state, now } = draft;
  if (state.phase !== 'baking' && state.phase !== 'gating') return;
  for (const [gate, progress] of state.gates.entries()) {
    const intervalMs = spec.steps[state.step]?.gates[gate]?.intervalMs;
    const decided = state.phase === 'gating' && progress.verdict !== 'open';
    if (intervalMs === undefined || decided || progress.nextAt > now) continue;
    const nextAt = new Date(now.getTime() + intervalMs);
    draft.set({ ...draft.state, gates: draft.state.gates.with(gate, { ...progress, nextAt }) });
    draft.do({ kind: 'measure', step: state.step, gate });
  }
}

function seeHosts(draft: Draft, seen: SeenHosts): void {
  const { spec, state } = draft;
  if (state.phase === 'aborted' && state.rollingBack) seeRollBack(draft, seen);
  if (!isGoing(state.phase)) return;
  if (isSettling(spec, state)) {
    if (!seen.inForce) draft.move('completed', bySkein('completed', ''));
    return;
  }
  // Before a rule of it is in force, no host has failed because of it.
  if (seen.inForce) holdToLimits(draft, seen.tally);
  if (draft.state.phase === 'running') widen(draft, seen);
  proceed(draft);
}

function seeRollBack(draft: Draft, { inForce, tally }: SeenHosts): void {
  if (inForce || tally.pending > 0 || tally.failed > 0) return;
  const { widenedAt, blocked, ...state } = draft.state;
  draft.set({ ...state, width: 0, rollingBack: false });
  draft.move('rolled-back', bySkein('rolled-back', state.reason));
}

function seeMeasured(draft: Draft, { step, gate: index, measurement }: Measured): void {
  const { spec, state } = draft;
  const gate = spec.steps[step]?.gates[index];
  const before = state.gates[index];
  if (step !== state.step || !gate || !before) return;
  const undecided = state.phase === 'gating' && before.verdict === 'open';
  if (state.phase !== 'baking' && !undecided) return;
  const { progress, news } = counted(gate, before, measurement);
  draft.set({ ...state, gates: state.gates.with(index, progress) });
  if (news !== 'none') stopFor(draft, gate, news, measurement.detail);
  proceed(draft);
}

function stopFor(draft: Draft, gate: Gate, news: Exclude<GateNews, 'none'>, detail: string): void {
  const by = bySkein('gate', `gate ${gate.name}: ${detail}`);
  if (news === 'failed') fail(draft, by);
  else pause(draft, `gate-${news}`, by);
}

function seeBlock(draft: Draft, block: Block | undefined): void {
  const { blocked, ...state } = draft.state;
  const isSame =
    block?.reason === blocked?.reason && block?.until?.getTime() === blocked?.until?.getTime();
  if (isSame || isOver(state)) return;
  draft.set(block ? { ...state, blocked: block } : state);
  if (block) return;
  proceed(draft);
  redoTake(draft);
}

function seeKill(draft: Draft, { actor, reason }: Killed): void {
  const { spec, state } = draft;
  const stopped = state.phase === 'paused' && state.pause?.cause === 'killed';
  if (stopped || isSettling(spec, state)) return;
  if (state.phase !== 'planned' && state.phase !== 'paused' && !isGoing(state.phase)) return;
  pause(draft, 'killed', { actor, event: 'kill', reason });
}

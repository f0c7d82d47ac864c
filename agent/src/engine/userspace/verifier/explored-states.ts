import { type Checkpoint, requirePrecise } from './checkpoint.ts';
import { isCallOfCallback } from './control-flow.ts';
import { UNINITIALISED } from './register.ts';
import { copyState, FRAME_POINTER, restartSources, type State, sourcesOf } from './state.ts';
import { covers } from './states-equal.ts';
import type { Walk } from './walk.ts';

/**
 * The states that ways had where they may meet. A way that comes to one that is covered by an earlier one needs not be
 * walked on. is_state_visited() of kernel/bpf/verifier.c, with its thresholds.
 */
export class ExploredStates {
  readonly #bySlot = new Map<number, Checkpoint[]>();
  readonly #liveRegisters: Uint16Array;
  /** How far the walk had come at the last checkpoint. */
  #lastInstructions = 0;
  #lastJumps = 0;
  #kept = 0;
  totalStates = 0;
  peakStates = 0;

  constructor(liveRegisters: Uint16Array) {
    this.#liveRegisters = liveRegisters;
  }

  /**
   * True when an earlier state covers that of the walk. Else it may be kept as a checkpoint.
   * @throws Refusal for a loop that does not change anything
   */
  visit(walk: Walk, instructionsNow: number, jumpsNow: number): boolean {
    const instructions = instructionsNow - this.#lastInstructions;
    const jumps = jumpsNow - this.#lastJumps;
    const isLoopHead = isCallOfCallback(walk.program, walk.at);
    let isWorthKeeping = isLoopHead || (jumps >= 2 && instructions >= 8);
    const known = this.#bySlot.get(walk.at) ?? NO_STATES;
    for (let n = 0; n < known.length; n++) {
      const old = known[n];
      if (old === undefined) break;
      if (old.branches > 0 && isLoopHead) {
        if (!covers(old, walk.state, 'ranges')) continue;
        // On what the old state's ways rest is not known yet.
        requireAllPrecise(walk);
        return true;
      }
      if (old.branches > 0) {
        const isSameTurn = old.state.callbacks === walk.state.callbacks;
        if (isSameTurn && mayBeSame(old.state, walk.state) && covers(old, walk.state, 'same'))
          walk.refuse(`infinite loop detected at insn ${walk.at}`);
        // Each turn of a loop has a state of its own: too many of them would help nobody.
        if (jumps < 20 && instructions < 100) isWorthKeeping = false;
      } else if (covers(old, walk.state, 'numbers')) {
        old.hits += 1;
        propagatePrecision(old, walk);
        return true;
      }
      if (!isWorthKeeping) continue;
      old.misses += 1;
      if (old.misses > old.hits * 3 + 3) {
        known.splice(n, 1);
        n -= 1;
        this.#kept -= 1;
      }
    }
    if (isWorthKeeping) {
      this.#keep(walk, known);
      this.#lastInstructions = instructionsNow;
      this.#lastJumps = jumpsNow;
    }
    return false;
  }

  #keep(walk: Walk, known: Checkpoint[]): void {
    const state = copyState(walk.state);
    this.#clean(state, walk.at);
    const checkpoint: Checkpoint = {
      at: walk.at,
      state,
      parent: walk.checkpoint,
      branches: 1,
      precise: new Set(),
      hits: 0,
      misses: 0,
    };
    if (known === NO_STATES) this.#bySlot.set(walk.at, [checkpoint]);
    else known.unshift(checkpoint);
    walk.checkpoint = checkpoint;
    restartSources(walk.state);
    this.#kept += 1;
    this.totalStates += 1;
    this.peakStates = Math.max(this.peakStates, this.#kept);
  }

  /** Forgets registers that nothing reads any more. clean_verifier_state() */
  #clean(state: State, at: number): void {
    state.frames.forEach((frame, n) => {
      // In a caller the arguments are gone, and r0 is what the callee returns.
      const callSite = state.frames[n + 1]?.callSite;
      // A callback returns to the call, which may call it again.
      const next = state.frames[n + 1]?.isCallback ? callSite : (callSite ?? at - 1) + 1;
      const live = this.#liveRegisters[next ?? at] ?? 0;
      for (let register = 0; register < FRAME_POINTER; register++)
        if ((live & (1 << register)) === 0) frame.registers[register] = UNINITIALISED;
    });
  }
}

function requireAllPrecise(walk: Walk): void {
  for (const frame of walk.state.frames) {
    for (const sources of frame.registerSources) requirePrecise(sources, walk.checkpoint);
    for (const sources of frame.slotSources) requirePrecise(sources, walk.checkpoint);
  }
}

const NO_STATES: Checkpoint[] = [];

/** A quick look before the comparison of everything: states_maybe_looping() */
function mayBeSame(old: State, current: State): boolean {
  const [a, b] = [old.frames.at(-1), current.frames.at(-1)];
  if (a === undefined || b === undefined || old.frames.length !== current.frames.length)
    return false;
  return a.registers.every(
    (register, n) => register.kind === 'uninitialised' || register.kind === b.registers[n]?.kind,
  );
}

/** What the old state's ways rest on, this one's rests on, too: propagate_precision(). */
function propagatePrecision(old: Checkpoint, walk: Walk): void {
  for (const place of old.precise) requirePrecise(sourcesOf(walk.state, place), walk.checkpoint);
}

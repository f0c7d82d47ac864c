import { bit, definitionsOf, isPure, usesOf } from './effects.ts';
import { type Flow, NONE } from './flow.ts';
import type { Instruction } from './lifted.ts';

/** Registers, as bits, whose values somebody reads later. */
export interface Liveness {
  /** By position: right before the instruction. */
  readonly before: Uint16Array;
  /** Right after it. */
  readonly after: Uint16Array;
}

/**
 * Which registers are live where. `isNeedless` may name instructions that go, operands and all, once nobody
 * reads what they define. Time is proportional to the edges: each position changes at most once
 * for each register.
 */
export function livenessOf(
  body: readonly Instruction[],
  flow: Flow,
  isNeedless: (position: number) => boolean = () => false,
): Liveness {
  const { next, target } = flow;
  const { uses, definitions, isDefinition } = effectsOf(body);
  const before = new Uint16Array(body.length);
  const after = new Uint16Array(body.length);
  const predecessors = predecessorsOf(flow);
  const queued = new Uint8Array(body.length).fill(1);
  // Taken from the end: backwards through the code, the way that liveness flows.
  const pending = body.map((_, position) => position);
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    queued[at] = 0;
    const out = (before[next[at] ?? -1] ?? 0) | (before[target[at] ?? -1] ?? 0);
    const kills = definitions[at] ?? 0;
    const dropped = isDefinition[at] === 1 && (out & kills) === 0 && isNeedless(at);
    const into = dropped ? out : (out & ~kills) | (uses[at] ?? 0);
    after[at] = out;
    if (into === before[at]) continue;
    before[at] = into;
    const end = predecessors.starts[at + 1] ?? 0;
    for (let index = predecessors.starts[at] ?? 0; index < end; index++) {
      const predecessor = predecessors.list[index] ?? 0;
      if (queued[predecessor] === 1) continue;
      queued[predecessor] = 1;
      pending.push(predecessor);
    }
  }
  return { before, after };
}

function effectsOf(body: readonly Instruction[]) {
  const uses = new Uint16Array(body.length);
  const definitions = new Uint16Array(body.length);
  const isDefinition = new Uint8Array(body.length);
  body.forEach((instruction, at) => {
    uses[at] = usesOf(instruction);
    definitions[at] = definitionsOf(instruction);
    isDefinition[at] = isPure(instruction) ? 1 : 0;
  });
  return { uses, definitions, isDefinition };
}

/** Nobody reads what it defines, and it does nothing else. */
export const isDead = (instruction: Instruction, after: number): boolean =>
  isPure(instruction) && (after & bit(instruction.dst)) === 0;

/** Those of position n are in the list from starts[n] up to starts[n + 1]. */
interface Predecessors {
  readonly starts: Int32Array;
  readonly list: Int32Array;
}

function predecessorsOf({ next, target }: Flow): Predecessors {
  const length = next.length;
  const starts = new Int32Array(length + 1);
  for (const edges of [next, target]) {
    for (let from = 0; from < length; from++) {
      const to = edges[from] ?? NONE;
      if (to !== NONE) starts[to + 1] = (starts[to + 1] ?? 0) + 1;
    }
  }
  for (let at = 0; at < length; at++) starts[at + 1] = (starts[at + 1] ?? 0) + (starts[at] ?? 0);
  const filled = starts.slice();
  const list = new Int32Array(starts[length] ?? 0);
  for (const edges of [next, target]) {
    for (let from = 0; from < length; from++) {
      const to = edges[from] ?? NONE;
      if (to === NONE) continue;
      const place = filled[to] ?? 0;
      list[place] = from;
      filled[to] = place + 1;
    }
  }
  return { starts, list };
}

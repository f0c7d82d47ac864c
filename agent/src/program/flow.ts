import { EXIT, JA, JA32 } from '../object/instructions.ts';
import type { Instruction } from './lifted.ts';

/** No such edge. */
export const NONE = -1;

/**
 * Where control goes from each instruction of a function, by position in its body. A site goes both ways,
 * whatever its encoding.
 */
export interface Flow {
  /** By falling through. */
  readonly next: Int32Array;
  /** By jumping. */
  readonly target: Int32Array;
}

/** Jumps, and never falls through. */
export const isPlainGoto = ({ opcode, site }: Instruction): boolean =>
  site === undefined && (opcode === JA || opcode === JA32);

export function flowOf(body: readonly Instruction[]): Flow {
  body.forEach((instruction, position) => {
    instruction.mark = position;
  });
  const next = new Int32Array(body.length).fill(NONE);
  const target = new Int32Array(body.length).fill(NONE);
  body.forEach((instruction, position) => {
    const falls = instruction.opcode !== EXIT && !isPlainGoto(instruction);
    if (falls && position + 1 < body.length) next[position] = position + 1;
    if (instruction.target !== undefined) target[position] = instruction.target.mark;
  });
  return { next, target };
}

/** Positions that control reaches from `roots`, as a table of 0 and 1. */
export function reachable({ next, target }: Flow, roots: readonly number[]): Uint8Array {
  const reached = new Uint8Array(next.length);
  const pending = [...roots];
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    if (at < 0 || reached[at] === 1) continue;
    reached[at] = 1;
    pending.push(next[at] ?? NONE, target[at] ?? NONE);
  }
  return reached;
}

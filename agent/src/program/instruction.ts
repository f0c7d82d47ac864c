import type { RawInstruction } from '../object/instructions.ts';
import type { Instruction, Notes } from './lifted.ts';

/** The notes of an instruction, to be added to. */
export function notesOf(instruction: Instruction): Notes {
  instruction.notes ??= { labels: [], coRe: [], pointers: [] };
  return instruction.notes;
}

/** An instruction on which nothing hangs yet. All have the same shape, which keeps them fast. */
export const plain = ({ opcode, dst, src, offset, imm }: RawInstruction): Instruction => ({
  opcode,
  dst,
  src,
  offset,
  imm,
  wide: undefined,
  target: undefined,
  callee: undefined,
  relocation: undefined,
  site: undefined,
  line: undefined,
  inheritedLine: undefined,
  notes: undefined,
  mark: 0,
});

/** Slots that it takes. */
export const slotsOf = ({ wide }: Instruction): number => (wide === undefined ? 1 : 2);

export const slotsIn = (body: readonly Instruction[]): number =>
  body.reduce((sum, instruction) => sum + slotsOf(instruction), 0);

/** Copies of the instructions of a function, whose jumps go to copies. Notes and records are shared. */
export function cloneBody(body: readonly Instruction[]): Instruction[] {
  const copies = body.map((instruction, position) => {
    instruction.mark = position;
    return { ...instruction };
  });
  for (const copy of copies) {
    if (copy.target !== undefined) copy.target = copies[copy.target.mark];
  }
  return copies;
}

/** Notes for an instruction that stands where others stood. */
export function mergeNotes(a: Notes | undefined, b: Notes | undefined): Notes | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return {
    labels: [...a.labels, ...b.labels],
    coRe: [...a.coRe, ...b.coRe],
    pointers: [...a.pointers, ...b.pointers],
  };
}

import type { RawInstruction } from '#agent/object/instructions.ts';
import { operationOf, slotsOf } from './opcodes.ts';

/** Slots at which functions begin, ascending: 0, and what is called or has its address taken. */
export function startsOfSubprograms(slots: readonly RawInstruction[]): number[] {
  const starts = new Set([0]);
  for (let at = 0; at < slots.length; ) {
    const instruction = slots[at];
    if (instruction === undefined) break;
    const operation = operationOf(instruction);
    const refers =
      (operation?.kind === 'call' && operation.callee === 'subprogram') ||
      (operation?.kind === 'constant' && operation.of === 'subprogram');
    if (refers) starts.add(at + 1 + instruction.imm);
    at += slotsOf(instruction);
  }
  return [...starts].sort((a, b) => a - b);
}

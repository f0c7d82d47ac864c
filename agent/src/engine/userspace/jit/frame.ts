import type { RawInstruction } from '#agent/object/instructions.ts';
import { operationOf, slotsOf } from '../isa/opcodes.ts';
import { CALLEE_SAVED, nativeRegister, RBP, RSP } from './registers.ts';
import type { X64 } from './x64.ts';

/** What a function of the program needs of the native stack. */
export interface Frame {
  /** Bytes below rbp, which is r10; and what keeps rsp a multiple of 16. */
  readonly stack: number;
  /** Registers of the program, in the order in which they are pushed. */
  readonly saved: readonly number[];
}

const STACK_BYTES = 512;
const FRAME_REGISTER = 10;
const ALIGNMENT = 16;
const SUB = 5;

/** Of the function in these slots. */
export function frameOf(slots: readonly RawInstruction[], start: number, end: number): Frame {
  const used = new Set<number>();
  for (let at = start; at < end; ) {
    const instruction = slots[at];
    if (instruction === undefined) break;
    used.add(instruction.dst);
    const kind = operationOf(instruction)?.kind;
    // Of these src is no register.
    if (kind !== 'constant' && kind !== 'call' && kind !== 'goto') used.add(instruction.src);
    at += slotsOf(instruction);
  }
  const saved = CALLEE_SAVED.filter((register) => used.has(register));
  const stack = used.has(FRAME_REGISTER) ? STACK_BYTES : 0;
  const pushed = saved.length * 8;
  return { stack: stack + ((ALIGNMENT - (pushed % ALIGNMENT)) % ALIGNMENT), saved };
}

export function emitPrologue(code: X64, { stack, saved }: Frame): void {
  code.push(RBP);
  code.move(true, RBP, RSP);
  if (stack !== 0) code.arithmetic(true, SUB, RSP, stack);
  for (const register of saved) code.push(nativeRegister(register));
}

export function emitEpilogue(code: X64, { saved }: Frame): void {
  for (const register of saved.toReversed()) code.pop(nativeRegister(register));
  code.leaveAndReturn();
}

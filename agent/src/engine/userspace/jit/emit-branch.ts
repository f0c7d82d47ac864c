import type { RawInstruction } from '#agent/object/instructions.ts';
import type { Branch, Comparison } from '../isa/opcodes.ts';
import { nativeRegister } from './registers.ts';
import type { X64 } from './x64.ts';

/** Condition codes of Jcc. */
const CONDITIONS: Readonly<Record<Comparison, number>> = {
  eq: 0x4,
  ne: 0x5,
  set: 0x5,
  gt: 0x7,
  ge: 0x3,
  lt: 0x2,
  le: 0x6,
  sgt: 0xf,
  sge: 0xd,
  slt: 0xc,
  sle: 0xe,
};

const CMP = 7;

/** The comparison; returns the condition under which the jump that follows is taken. */
export function emitBranch(
  code: X64,
  { is64, op, source }: Branch,
  { dst, src, imm }: RawInstruction,
): number {
  const left = nativeRegister(dst);
  if (source === 'reg') code.registers(is64, op === 'set' ? 0x85 : 0x39, nativeRegister(src), left);
  else if (op === 'set') {
    code.registers(is64, 0xf7, 0, left);
    code.int32(imm);
  } else if (imm === 0) {
    // test is shorter, and sets the flags as cmp with 0 does.
    code.registers(is64, 0x85, left, left);
  } else code.arithmetic(is64, CMP, left, imm);
  return CONDITIONS[op];
}

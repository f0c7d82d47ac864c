import type { ByteView } from './byte-view.ts';

/** Bytes of one instruction slot. */
export const SLOT = 8;

/** Opcodes, Documentation/bpf/standardization/instruction-set.rst. */
export const LD_IMM64 = 0x18;
export const LDX_W = 0x61;
export const JEQ_IMM = 0x15;
export const JNE_IMM = 0x55;
export const JEQ_REG = 0x1d;
export const JNE_REG = 0x5d;
/** `goto`: 16-bit offset. */
export const JA = 0x05;
/** `gotol`: 32-bit offset in imm. Kernels from 6.6, cpu v4. */
export const JA32 = 0x06;
/** `gotox`: to an address in a register. Kernels from 6.19. */
export const JA_REG = 0x0d;
export const CALL = 0x85;
export const EXIT = 0x95;

/** `src` of a call to a function of the same object. */
export const PSEUDO_CALL = 1;
/** `src` of an ld_imm64 of a function of the same object. */
export const PSEUDO_FUNC = 4;

const CLASS = 0x07;
const CLASS_JMP = 0x05;
const CLASS_JMP32 = 0x06;
/** may_goto: jumps when its hidden counter has run out. Only in class JMP. */
const OPERATION_JCOND = 0xe;

/** Jumps or falls through, by a comparison or by may_goto; the offset says where. */
export function isConditionalJump(opcode: number): boolean {
  const operation = opcode >> 4;
  const compares = (operation >= 0x1 && operation <= 0x7) || (operation >= 0xa && operation <= 0xd);
  switch (opcode & CLASS) {
    case CLASS_JMP:
      return compares || operation === OPERATION_JCOND;
    case CLASS_JMP32:
      return compares;
    default:
      return false;
  }
}

export interface RawInstruction {
  readonly opcode: number;
  readonly dst: number;
  readonly src: number;
  /** Signed. */
  readonly offset: number;
  /** Signed; the low half of an ld_imm64's constant. */
  readonly imm: number;
}

/** Decodes the slot at a byte offset of an executable section. */
export function decode(code: ByteView, at: number): RawInstruction {
  const registers = code.u8(at + 1);
  return {
    opcode: code.u8(at),
    dst: registers & 0xf,
    src: registers >> 4,
    offset: code.i16(at + 2),
    imm: code.i32(at + 4),
  };
}

import { CALL, EXIT, isConditionalJump, LD_IMM64 } from '../object/instructions.ts';
import type { Instruction } from './lifted.ts';

/**
 * What instructions do to registers. Registers are bits: bit n is rn. Where it matters little the answer is on
 * the safe side: more uses, fewer definitions.
 */
export const bit = (register: number): number => 1 << register;

/** r1 to r5: arguments of a call, undefined after it. */
const ARGUMENTS = 0b111110;
const RESULT = bit(0);

const CLASS = 0x07;
const CLASS_LD = 0x00;
const CLASS_LDX = 0x01;
const CLASS_ST = 0x02;
const CLASS_STX = 0x03;
const CLASS_ALU = 0x04;
const CLASS_ALU64 = 0x07;
/** The second operand is a register. */
const SOURCE_REGISTER = 0x08;
const MODE = 0xe0;
const MODE_ATOMIC = 0xc0;
const MODE_IND = 0x40;
const CMPXCHG = 0xf1;
const ALU_NEG = 0x80;
const ALU_MOV = 0xb0;
const ALU_END = 0xd0;

const isCall = (opcode: number): boolean => (opcode | SOURCE_REGISTER) === (CALL | SOURCE_REGISTER);

/** Registers whose values it needs. */
export function usesOf({ opcode, dst, src, imm }: Instruction): number {
  switch (opcode & CLASS) {
    case CLASS_LD:
      // Access to the packet by absolute or indirect offset reads the context in r6.
      if (opcode === LD_IMM64) return 0;
      return bit(6) | ((opcode & MODE) === MODE_IND ? bit(src) : 0);
    case CLASS_LDX:
      return bit(src);
    case CLASS_ST:
      return bit(dst);
    case CLASS_STX:
      return bit(dst) | bit(src) | (isCompareAndExchange(opcode, imm) ? RESULT : 0);
    case CLASS_ALU:
    case CLASS_ALU64:
      return usesOfArithmetic(opcode & 0xf0, opcode, dst, src);
    default:
      if (isCall(opcode)) return ARGUMENTS | (opcode === CALL ? 0 : bit(dst));
      if (opcode === EXIT) return RESULT;
      if (!isConditionalJump(opcode)) return 0;
      return bit(dst) | ((opcode & SOURCE_REGISTER) !== 0 ? bit(src) : 0);
  }
}

/** Compares with r0. */
const isCompareAndExchange = (opcode: number, imm: number): boolean =>
  (opcode & MODE) === MODE_ATOMIC && imm === CMPXCHG;

function usesOfArithmetic(operation: number, opcode: number, dst: number, src: number): number {
  if (operation === ALU_NEG || operation === ALU_END) return bit(dst);
  const second = (opcode & SOURCE_REGISTER) !== 0 ? bit(src) : 0;
  return operation === ALU_MOV ? second : bit(dst) | second;
}

/** Registers whose old values are gone after it. */
export function definitionsOf({ opcode, dst }: Instruction): number {
  switch (opcode & CLASS) {
    case CLASS_LD:
      return opcode === LD_IMM64 ? bit(dst) : RESULT | ARGUMENTS;
    case CLASS_LDX:
    case CLASS_ALU:
    case CLASS_ALU64:
      return bit(dst);
    case CLASS_ST:
    case CLASS_STX:
      return 0;
    default:
      return isCall(opcode) ? RESULT | ARGUMENTS : 0;
  }
}

/** Does nothing but define `dst`, so that nobody misses it when nobody reads that. */
export function isPure({ opcode }: Instruction): boolean {
  switch (opcode & CLASS) {
    case CLASS_LD:
      return opcode === LD_IMM64;
    case CLASS_LDX:
    case CLASS_ALU:
    case CLASS_ALU64:
      return true;
    default:
      return false;
  }
}

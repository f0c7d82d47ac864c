import type { AluOp, AtomicOp, Bytes, Comparison } from './opcodes.ts';

/** The signs of the assembly language, as the kernel's disasm.c prints them. */

export const ALU_SIGNS: Readonly<Record<AluOp, string>> = {
  add: '+=',
  sub: '-=',
  mul: '*=',
  div: '/=',
  or: '|=',
  and: '&=',
  lsh: '<<=',
  rsh: '>>=',
  mod: '%=',
  xor: '^=',
  mov: '=',
  arsh: 's>>=',
};

export const COMPARISON_SIGNS: Readonly<Record<Comparison, string>> = {
  eq: '==',
  gt: '>',
  ge: '>=',
  set: '&',
  ne: '!=',
  sgt: 's>',
  sge: 's>=',
  lt: '<',
  le: '<=',
  slt: 's<',
  sle: 's<=',
};

/** Of `lock *(u64 *)(r1 +0) += r2`; the others have no such form. */
export const LOCK_SIGNS: Readonly<Partial<Record<AtomicOp, string>>> = {
  add: '+=',
  or: '|=',
  and: '&=',
  xor: '^=',
};

export const UNSIGNED_TYPES: Readonly<Record<Bytes, string>> = {
  1: 'u8',
  2: 'u16',
  4: 'u32',
  8: 'u64',
};

/** "+4", "-8", "+0". */
export function signedText(value: number): string {
  return value < 0 ? `${value}` : `+${value}`;
}

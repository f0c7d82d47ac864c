import { LD_IMM64, type RawInstruction } from '#agent/object/instructions.ts';

/**
 * What an instruction does, taken apart once for the assembler, the verifier and the JIT. RFC 9669 without the
 * obsolete packet access, plus selectable gotos. Only the fields that select an operation are looked at:
 * that all others are zero is for validate.ts to say.
 */
export type Operation =
  | Alu
  | { readonly kind: 'negate'; readonly is64: boolean }
  /** dst = low bits of src, sign-extended to 64, or to 32 and then zero-extended. */
  | { readonly kind: 'sign-extend'; readonly is64: boolean; readonly bits: 8 | 16 | 32 }
  /** On a little-endian machine `le` only cuts off. */
  | { readonly kind: 'byte-order'; readonly order: ByteOrder; readonly bits: 16 | 32 | 64 }
  | { readonly kind: 'load'; readonly bytes: Bytes; readonly signed: boolean }
  | { readonly kind: 'store'; readonly bytes: Bytes; readonly source: Source }
  | Atomic
  /** Two slots. `of` says what the constants mean. */
  | { readonly kind: 'constant'; readonly of: ConstantOf }
  | Goto
  | Branch
  /** Of a subprogram: `imm` is the distance in slots. Else its number. */
  | { readonly kind: 'call'; readonly callee: Callee }
  | { readonly kind: 'exit' };

export interface Alu {
  readonly kind: 'alu';
  readonly is64: boolean;
  readonly op: AluOp;
  readonly source: Source;
  /** Only div and mod. */
  readonly signed: boolean;
}

export interface Atomic {
  readonly kind: 'atomic';
  readonly bytes: 4 | 8;
  readonly op: AtomicOp;
  /** src (for cmpxchg: r0) gets the old value. */
  readonly fetch: boolean;
}

export interface Goto {
  readonly kind: 'goto';
  /** gotol: the distance is in imm. */
  readonly long: boolean;
  /** In slots, from the next instruction. */
  readonly distance: number;
  /** A static branch: what it is until its key is on. */
  readonly selectable: Selectable | undefined;
}

export interface Branch {
  readonly kind: 'branch';
  readonly is64: boolean;
  readonly op: Comparison;
  readonly source: Source;
}

export type Source = 'imm' | 'reg';
export type Bytes = 1 | 2 | 4 | 8;
export type ByteOrder = 'le' | 'be' | 'bswap';
export type Callee = 'helper' | 'subprogram' | 'kernel-function';
export type Selectable = 'goto-or-nop' | 'nop-or-goto';

/** By bits 4..7 of the opcode, in classes ALU and ALU64. */
export const ALU_OPS = [
  'add',
  'sub',
  'mul',
  'div',
  'or',
  'and',
  'lsh',
  'rsh',
  undefined,
  'mod',
  'xor',
  'mov',
  'arsh',
] as const;
export type AluOp = NonNullable<(typeof ALU_OPS)[number]>;

/** By bits 4..7 of the opcode, in classes JMP and JMP32. The s means signed. */
export const COMPARISONS = [
  undefined,
  'eq',
  'gt',
  'ge',
  'set',
  'ne',
  'sgt',
  'sge',
  undefined,
  undefined,
  'lt',
  'le',
  'slt',
  'sle',
] as const;
export type Comparison = NonNullable<(typeof COMPARISONS)[number]>;

/** By src of an ld_imm64: BPF_PSEUDO_MAP_FD and so on. */
export const CONSTANTS = [
  'number',
  'map-fd',
  'map-value-fd',
  'variable',
  'subprogram',
  'map-index',
  'map-value-index',
] as const;
export type ConstantOf = (typeof CONSTANTS)[number];

/** By src of a call. */
export const CALLEES: readonly Callee[] = ['helper', 'subprogram', 'kernel-function'];

export const ATOMIC_FETCH = 0x01;
/** imm of an atomic instruction without {@link ATOMIC_FETCH}. */
export const ATOMIC_OPS = { add: 0x00, or: 0x40, and: 0x50, xor: 0xa0, xchg: 0xe0, cmpxchg: 0xf0 };
export type AtomicOp = keyof typeof ATOMIC_OPS;

/** src of a goto: BPF_STATIC_BRANCH_JA, with BPF_STATIC_BRANCH_NOP or without. */
export const SELECTABLE: Readonly<Record<Selectable, number>> = {
  'goto-or-nop': 1,
  'nop-or-goto': 3,
};

/** By bits 3 and 4 of the opcode of a load or store. */
export const SIZES: readonly Bytes[] = [4, 2, 1, 8];

/** Bits 0..2 of an opcode. */
export const CLASS = { LD: 0, LDX: 1, ST: 2, STX: 3, ALU: 4, JMP: 5, JMP32: 6, ALU64: 7 };
/** Bits 5..7 of the opcode of a load or store. */
export const MODE = { IMM: 0x00, MEM: 0x60, MEMSX: 0x80, ATOMIC: 0xc0 };
/** Bit 3 of the opcode elsewhere: the operand is src instead of imm. */
export const SOURCE_REG = 0x08;

/** Bits 4..7 of opcodes that are in no table. */
export const OPERATION = { NEGATE: 0x8, BYTE_ORDER: 0xd, JA: 0x0, CALL: 0x8, EXIT: 0x9 };

/** Undefined: no instruction of this machine. */
export function operationOf(instruction: RawInstruction): Operation | undefined {
  const { opcode } = instruction;
  switch (opcode & 0x07) {
    case CLASS.LD:
      return constant(instruction);
    case CLASS.LDX:
      return load(opcode);
    case CLASS.ST:
    case CLASS.STX:
      return store(instruction);
    case CLASS.ALU:
    case CLASS.ALU64:
      return alu(instruction);
    default:
      return jump(instruction);
  }
}

function constant({ opcode, src }: RawInstruction): Operation | undefined {
  const of = opcode === LD_IMM64 ? CONSTANTS[src] : undefined;
  return of && { kind: 'constant', of };
}

function load(opcode: number): Operation | undefined {
  const bytes = bytesOf(opcode);
  const mode = opcode & 0xe0;
  if (mode === MODE.MEM) return { kind: 'load', bytes, signed: false };
  if (mode === MODE.MEMSX && bytes !== 8) return { kind: 'load', bytes, signed: true };
  return undefined;
}

function store({ opcode, imm }: RawInstruction): Operation | undefined {
  const bytes = bytesOf(opcode);
  const source = (opcode & 0x07) === CLASS.STX ? 'reg' : 'imm';
  const mode = opcode & 0xe0;
  if (mode === MODE.MEM) return { kind: 'store', bytes, source };
  if (mode !== MODE.ATOMIC || source === 'imm' || (bytes !== 4 && bytes !== 8)) return undefined;
  const fetch = (imm & ATOMIC_FETCH) !== 0;
  const op = ATOMIC_NAMES.get(imm & ~ATOMIC_FETCH);
  // These two are nothing without what they fetch.
  if (op === undefined || (!fetch && (op === 'xchg' || op === 'cmpxchg'))) return undefined;
  return { kind: 'atomic', bytes, op, fetch };
}

const ATOMIC_NAMES: ReadonlyMap<number, AtomicOp> = new Map(
  (['add', 'or', 'and', 'xor', 'xchg', 'cmpxchg'] as const).map((op) => [ATOMIC_OPS[op], op]),
);

function bytesOf(opcode: number): Bytes {
  return SIZES[(opcode >> 3) & 3] ?? 1;
}

function alu(instruction: RawInstruction): Operation | undefined {
  const { opcode, offset } = instruction;
  const is64 = (opcode & 0x07) === CLASS.ALU64;
  const source = sourceOf(opcode);
  if (opcode >> 4 === OPERATION.NEGATE)
    return source === 'imm' ? { kind: 'negate', is64 } : undefined;
  if (opcode >> 4 === OPERATION.BYTE_ORDER) return byteOrder(instruction, is64);
  const op = ALU_OPS[opcode >> 4];
  if (op === undefined) return undefined;
  if (op === 'mov' && offset !== 0) return signExtend(is64, source, offset);
  const signed = (op === 'div' || op === 'mod') && offset === 1;
  return { kind: 'alu', is64, op, source, signed };
}

function byteOrder({ opcode, imm }: RawInstruction, is64: boolean): Operation | undefined {
  if (imm !== 16 && imm !== 32 && imm !== 64) return undefined;
  const reg = (opcode & SOURCE_REG) !== 0;
  if (is64) return reg ? undefined : { kind: 'byte-order', order: 'bswap', bits: imm };
  return { kind: 'byte-order', order: reg ? 'be' : 'le', bits: imm };
}

function signExtend(is64: boolean, source: Source, bits: number): Operation | undefined {
  if (source === 'imm') return undefined;
  if (bits !== 8 && bits !== 16 && !(bits === 32 && is64)) return undefined;
  return { kind: 'sign-extend', is64, bits };
}

function jump(instruction: RawInstruction): Operation | undefined {
  const { opcode, src } = instruction;
  const is64 = (opcode & 0x07) === CLASS.JMP;
  const source = sourceOf(opcode);
  const comparison = COMPARISONS[opcode >> 4];
  if (comparison !== undefined) return { kind: 'branch', is64, op: comparison, source };
  if (source === 'reg') return undefined;
  if (opcode >> 4 === OPERATION.JA) return goto(instruction, !is64);
  if (!is64) return undefined;
  if (opcode >> 4 === OPERATION.EXIT) return { kind: 'exit' };
  const callee = opcode >> 4 === OPERATION.CALL ? CALLEES[src] : undefined;
  return callee && { kind: 'call', callee };
}

function goto({ src, offset, imm }: RawInstruction, long: boolean): Goto | undefined {
  const distance = long ? imm : offset;
  if (src === 0) return { kind: 'goto', long, distance, selectable: undefined };
  if (src === SELECTABLE['goto-or-nop'])
    return { kind: 'goto', long, distance, selectable: 'goto-or-nop' };
  if (src === SELECTABLE['nop-or-goto'])
    return { kind: 'goto', long, distance, selectable: 'nop-or-goto' };
  return undefined;
}

function sourceOf(opcode: number): Source {
  return (opcode & SOURCE_REG) !== 0 ? 'reg' : 'imm';
}

/** Slots that the instruction takes. */
export function slotsOf({ opcode }: RawInstruction): 1 | 2 {
  return opcode === LD_IMM64 ? 2 : 1;
}

import type { RawInstruction } from '#agent/object/instructions.ts';
import type { Alu, ByteOrder } from '../isa/opcodes.ts';
import { type Dependencies, NONE, union } from './dependencies.ts';
import { S32_MAX, s64, U32_MAX } from './int64.ts';
import { offsetPointer } from './pointer-arithmetic.ts';
import { ANY_SCALAR, changed, isPointer, type Register, scalarRegister } from './register.ts';
import { knownValue, type Scalar, unsignedOfBytes } from './scalar.ts';
import { arithmetic, negate, truncate32 } from './scalar-arithmetic.ts';
import { isWithinSigned, signExtend, swapBytes, zeroExtend } from './scalar-extend.ts';
import type { Walk } from './walk.ts';

/** check_alu_op() of kernel/bpf/verifier.c */
export function runAlu(walk: Walk, operation: Alu, instruction: RawInstruction): void {
  const { dst, src, imm } = instruction;
  const { op, source, is64 } = operation;
  const operand = source === 'reg' ? walk.read(src) : walk.immediate();
  const operandSources = source === 'reg' ? walk.sources(src) : NONE;
  if (op === 'mov') {
    if (source === 'reg') move(walk, dst, src, is64);
    else walk.write(dst, is64 ? operand : scalarRegister(truncate32(operand.number)));
    return;
  }
  const before = walk.read(dst);
  if ((op === 'div' || op === 'mod') && source === 'imm' && imm === 0) walk.refuse('div by zero');
  const isShift = op === 'lsh' || op === 'rsh' || op === 'arsh';
  if (isShift && source === 'imm' && (imm < 0 || imm >= (is64 ? 64 : 32)))
    walk.refuse(`invalid shift ${imm}`);
  if (before.kind === 'scalar' && operand.kind === 'scalar') {
    const number = arithmetic(op, is64, before.number, operand.number);
    const sources = union(walk.sources(dst), operandSources);
    walk.write(dst, sumRegister(operation, before, operand.number, number), sources);
    return;
  }
  runPointer(walk, operation, dst, before, operand, operandSources);
}

/** One of the two is a pointer. adjust_reg_min_max_vals() */
function runPointer(
  walk: Walk,
  { op, is64 }: Alu,
  dst: number,
  before: Register,
  operand: Register,
  operandSources: Dependencies,
): void {
  if (!is64) {
    // Half a pointer is a number, and of no use; only the difference is let through.
    if (op !== 'sub') walk.refuse(`R${dst} 32-bit pointer arithmetic prohibited`);
    walk.write(dst, ANY_SCALAR);
  } else if (isPointer(before) && isPointer(operand)) {
    if (op !== 'sub') walk.refuse(`R${dst} pointer ${op} pointer prohibited`);
    walk.write(dst, ANY_SCALAR);
  } else if (isPointer(before)) {
    walk.requirePrecise(operandSources);
    walk.write(dst, offsetPointer(walk, dst, op, before, operand));
  } else {
    walk.requirePrecise(walk.sources(dst));
    if (op === 'sub') walk.refuse(`R${dst} tried to subtract pointer from scalar`);
    walk.write(dst, offsetPointer(walk, dst, op, operand, before));
  }
}

/** A register that is a constant above or below what it was stays linked to what has its old value: BPF_ADD_CONST. */
function sumRegister(
  { op, is64 }: Alu,
  before: Register,
  operand: Scalar,
  number: Scalar,
): Register {
  const isSum = is64 && (op === 'add' || op === 'sub');
  const known = knownValue(operand);
  if (!isSum || before.id === 0 || before.offset !== 0 || known === undefined)
    return scalarRegister(number);
  const distance = op === 'add' ? s64(known) : -s64(known);
  if (distance < -S32_MAX || distance > S32_MAX) return scalarRegister(number);
  return scalarRegister(number, before.id, Number(distance));
}

function move(walk: Walk, dst: number, src: number, is64: boolean): void {
  const from = walk.read(src);
  const sources = walk.sources(src);
  if (is64) walk.write(dst, linked(walk, src), sources);
  else if (from.kind !== 'scalar') walk.write(dst, scalarRegister(unsignedOfBytes(4)));
  else if (from.number.umax <= BigInt(U32_MAX)) walk.write(dst, linked(walk, src), sources);
  else walk.write(dst, scalarRegister(truncate32(from.number)), sources);
}

/**
 * Gives a number an id before it is copied, so that what is found out of one copy holds for the other.
 * assign_scalar_id_before_mov()
 */
export function linked(walk: Walk, register: number): Register {
  const value = walk.read(register);
  if (value.kind !== 'scalar' || knownValue(value.number) !== undefined) return value;
  if (value.id !== 0 && value.offset === 0) return value;
  const linkedValue = changed(value, { id: walk.newId(), offset: 0 });
  walk.write(register, linkedValue, walk.sources(register));
  return linkedValue;
}

/** dst = low bits of src, sign-extended. */
export function runSignExtend(
  walk: Walk,
  { is64, bits }: { readonly is64: boolean; readonly bits: 8 | 16 | 32 },
  { dst, src }: RawInstruction,
): void {
  const from = walk.read(src);
  if (from.kind !== 'scalar') {
    walk.write(dst, scalarRegister(is64 ? ANY_SCALAR.number : unsignedOfBytes(4)));
    return;
  }
  // What is known of single bits is lost even where nothing changes: so it is in the kernel.
  const number = signExtend(from.number, bits);
  const isCopy = is64 && isWithinSigned(from.number, bits);
  const copied = isCopy ? changed(linked(walk, src), { number }) : undefined;
  walk.write(dst, copied ?? scalarRegister(is64 ? number : truncate32(number)), walk.sources(src));
}

export function runNegate(walk: Walk, is64: boolean, { dst }: RawInstruction): void {
  const { kind, number } = walk.read(dst);
  const known = kind === 'scalar' ? negate(is64, number) : unknownOf(is64);
  walk.write(dst, scalarRegister(known), walk.sources(dst));
}

/** `le` only cuts off: all machines that Skein runs on are little-endian. */
export function runByteOrder(
  walk: Walk,
  { order, bits }: { readonly order: ByteOrder; readonly bits: 16 | 32 | 64 },
  { dst }: RawInstruction,
): void {
  const { kind, number } = walk.read(dst);
  if (kind !== 'scalar') {
    walk.write(dst, ANY_SCALAR);
    return;
  }
  const after = order === 'le' ? zeroExtend(number, BYTES[bits]) : swapBytes(number, bits);
  walk.write(dst, scalarRegister(after), walk.sources(dst));
}

const BYTES = { 16: 2, 32: 4, 64: 8 } as const;

const unknownOf = (is64: boolean): Scalar => (is64 ? ANY_SCALAR.number : unsignedOfBytes(4));

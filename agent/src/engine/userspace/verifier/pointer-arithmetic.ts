import type { AluOp } from '../isa/opcodes.ts';
import { S64_MIN } from './int64.ts';
import { changed, isPacket, type Register, typeName } from './register.ts';
import { isContradiction, knownValue, type Scalar } from './scalar.ts';
import { arithmetic } from './scalar-arithmetic.ts';
import type { Walk } from './walk.ts';

/** BPF_MAX_VAR_OFF */
const MAX_VARIABLE = 1n << 29n;

/** pointer + number, or pointer - number: adjust_ptr_min_max_vals() of kernel/bpf/verifier.c. */
export function offsetPointer(
  walk: Walk,
  dst: number,
  op: AluOp,
  pointer: Register,
  { number, offset }: Register,
): Register {
  const refuse = (what: string): never => walk.refuse(`R${dst} ${what}`);
  if (isContradiction(number)) refuse('has an invalid range');
  if (pointer.orNull)
    refuse(`pointer arithmetic on ${typeName(pointer)} prohibited, null-check it first`);
  const isNothing = op === 'add' && knownValue(number) === 0n;
  if (pointer.kind === 'packet-end' || (pointer.kind === 'map' && !isNothing))
    refuse(`pointer arithmetic on ${typeName(pointer)} prohibited`);
  if (op === 'and' || op === 'or' || op === 'xor')
    refuse(`bitwise operator ${SIGNS[op]} on pointer prohibited`);
  if (op !== 'add' && op !== 'sub') refuse(`pointer arithmetic with ${op} operator prohibited`);
  if (op === 'sub' && pointer.kind === 'stack') refuse('subtraction from stack pointer prohibited');
  requireSane(walk, pointer, number);
  // How far a number is from those that it is linked to is of no account here, but the kernel wants it near, too.
  requireNear(walk, pointer, offset);
  const result = op === 'add' ? add(walk, pointer, number) : subtract(walk, pointer, number);
  requireSane(walk, result, result.number);
  requireNear(walk, result, result.offset);
  return result;
}

const SIGNS = { and: '&=', or: '|=', xor: '^=' } as const;

function add(walk: Walk, pointer: Register, number: Scalar): Register {
  const fixed = knownValue(number) === undefined ? undefined : fixedOffset(pointer, number.smin);
  if (fixed !== undefined) return moved(pointer, fixed);
  const sum = arithmetic('add', true, pointer.number, number);
  if (!isPacket(pointer)) return changed(pointer, { number: sum });
  return changed(pointer, { number: sum, id: walk.newId(), range: 0 });
}

function subtract(walk: Walk, pointer: Register, number: Scalar): Register {
  const fixed = knownValue(number) === undefined ? undefined : fixedOffset(pointer, -number.smin);
  if (fixed !== undefined) return moved(pointer, fixed);
  const difference = arithmetic('sub', true, pointer.number, number);
  if (!isPacket(pointer)) return changed(pointer, { number: difference });
  // Something may have been added.
  const range = number.smin < 0n ? 0 : Math.max(pointer.range, 0);
  return changed(pointer, { number: difference, id: walk.newId(), range });
}

/** A pointer that was at the end of the packet, or behind it, need not be any more: the kernel forgets to forget it. */
const moved = (pointer: Register, offset: number): Register =>
  changed(pointer, {
    offset,
    range: offset === pointer.offset ? pointer.range : Math.max(pointer.range, 0),
  });

/** The sum, when it is an offset that the kernel's 32-bit field can hold. */
function fixedOffset(pointer: Register, distance: bigint): number | undefined {
  const sum = BigInt(pointer.offset) + distance;
  return sum === BigInt.asIntN(32, sum) ? Number(sum) : undefined;
}

/** check_reg_sane_offset() */
function requireSane(walk: Walk, pointer: Register, number: Scalar): void {
  const type = typeName(pointer);
  const known = knownValue(number);
  if (known !== undefined && isFar(number.smin))
    walk.refuse(`math between ${type} pointer and ${number.smin} is not allowed`);
  if (number.smin === S64_MIN)
    walk.refuse(
      `math between ${type} pointer and register with unbounded min value is not allowed`,
    );
  if (isFar(number.smin))
    walk.refuse(`value ${number.smin} makes ${type} pointer be out of bounds`);
}

function requireNear(walk: Walk, pointer: Register, offset: number): void {
  if (isFar(offset)) walk.refuse(`${typeName(pointer)} pointer offset ${offset} is not allowed`);
}

const isFar = (value: bigint | number): boolean => value >= MAX_VARIABLE || value <= -MAX_VARIABLE;

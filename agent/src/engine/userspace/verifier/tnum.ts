import { bitLength, LOW_32, S64_MIN, s64, U64_MAX, u64 } from './int64.ts';

/**
 * A tracked number: what is known of each bit of a 64-bit value. A bit of `mask` is unknown, any other is that of
 * `value`. Unknown bits of `value` are 0. The operations are those of kernel/bpf/tnum.c; the proofs are in
 * Vishwanathan et al., "Sound, Precise, and Fast Abstract Interpretation with Tristate Numbers", CGO 2022.
 */
export interface Tnum {
  readonly value: bigint;
  readonly mask: bigint;
}

export const UNKNOWN: Tnum = { value: 0n, mask: U64_MAX };

export const tnum = (value: bigint, mask: bigint): Tnum => ({ value, mask });

/** The narrowest that has every value of an unsigned range. */
export function range(least: bigint, most: bigint): Tnum {
  const bits = bitLength(least ^ most);
  if (bits === 64) return UNKNOWN;
  const delta = (1n << BigInt(bits)) - 1n;
  return { value: least & ~delta, mask: delta };
}

export const shiftLeft = (a: Tnum, bits: bigint): Tnum =>
  tnum(u64(a.value << bits), u64(a.mask << bits));

export const shiftRight = (a: Tnum, bits: bigint): Tnum => tnum(a.value >> bits, a.mask >> bits);

/** An unknown sign bit is copied as unknown. `width`: of the operands, 32 or 64. */
export function shiftRightSigned(a: Tnum, bits: bigint, width: 32 | 64): Tnum {
  const shift = (word: bigint) => BigInt.asUintN(width, BigInt.asIntN(width, word) >> bits);
  return tnum(shift(a.value), shift(a.mask));
}

export function add(a: Tnum, b: Tnum): Tnum {
  const masks = u64(a.mask + b.mask);
  const values = u64(a.value + b.value);
  const carries = u64(masks + values) ^ values;
  const mask = carries | a.mask | b.mask;
  return tnum(values & ~mask, mask);
}

export function subtract(a: Tnum, b: Tnum): Tnum {
  const values = u64(a.value - b.value);
  const borrows = u64(values + a.mask) ^ u64(values - b.mask);
  const mask = borrows | a.mask | b.mask;
  return tnum(values & ~mask, mask);
}

export function and(a: Tnum, b: Tnum): Tnum {
  const value = a.value & b.value;
  return tnum(value, (a.value | a.mask) & (b.value | b.mask) & ~value);
}

export function or(a: Tnum, b: Tnum): Tnum {
  const value = a.value | b.value;
  return tnum(value, (a.mask | b.mask) & ~value);
}

export function xor(a: Tnum, b: Tnum): Tnum {
  const mask = a.mask | b.mask;
  return tnum((a.value ^ b.value) & ~mask, mask);
}

/** Long multiplication: each bit of `a` adds b, nothing, or one of the two. */
export function multiply(a: Tnum, b: Tnum): Tnum {
  if (a.mask === 0n && b.mask === 0n) return tnum(u64(a.value * b.value), 0n);
  if (a.mask === U64_MAX || b.mask === U64_MAX) return multiplyUnknown(a.mask === U64_MAX ? b : a);
  const product = u64(a.value * b.value);
  let unknown = tnum(0n, 0n);
  let [left, right] = [a, b];
  while (left.value !== 0n || left.mask !== 0n) {
    if ((left.value & 1n) !== 0n) unknown = add(unknown, tnum(0n, right.mask));
    else if ((left.mask & 1n) !== 0n) unknown = add(unknown, tnum(0n, right.value | right.mask));
    left = shiftRight(left, 1n);
    right = shiftLeft(right, 1n);
  }
  return add(tnum(product, 0n), unknown);
}

/** Of a product with an unknown factor, only the zeros that the other one ends in are known. */
function multiplyUnknown(known: Tnum): Tnum {
  const ones = known.value | known.mask;
  return ones === 0n ? known : tnum(0n, u64(-(ones & -ones)));
}

/** Of a value that both describe. Where they contradict each other the value does not matter: there is none. */
export function intersect(a: Tnum, b: Tnum): Tnum {
  const mask = a.mask & b.mask;
  return tnum((a.value | b.value) & ~mask, mask);
}

/** Every value of `b` is one of `a`. */
export const contains = (a: Tnum, b: Tnum): boolean =>
  (b.mask & ~a.mask) === 0n && (b.value & ~a.mask) === a.value;

/** The low bits, zero-extended. */
export function cut(a: Tnum, bits: number): Tnum {
  return tnum(BigInt.asUintN(bits, a.value), BigInt.asUintN(bits, a.mask));
}

/** The low bytes in the opposite order, zero-extended. */
export function swapBytes(a: Tnum, bits: 16 | 32 | 64): Tnum {
  return tnum(swap(a.value, bits), swap(a.mask, bits));
}

function swap(word: bigint, bits: number): bigint {
  let swapped = 0n;
  for (let at = 0n; at < bits; at += 8n) swapped = (swapped << 8n) | ((word >> at) & 0xffn);
  return swapped;
}

/** The high half of one, the low half of another. */
export function withLow32(high: Tnum, low: Tnum): Tnum {
  return tnum((high.value & ~LOW_32) | low.value, (high.mask & ~LOW_32) | low.mask);
}

/** Every value is a multiple of `size`, a power of two. */
export function isAligned(a: Tnum, size: number): boolean {
  return ((a.value | a.mask) & BigInt(size - 1)) === 0n;
}

export const leastSigned = (a: Tnum): bigint => s64(a.value | (a.mask & u64(S64_MIN)));
export const mostSigned = (a: Tnum): bigint => s64(a.value | (a.mask & ~u64(S64_MIN)));
export const mostUnsigned = (a: Tnum): bigint => a.value | a.mask;

/** As the kernel prints it. */
export const text = (a: Tnum): string => `(0x${a.value.toString(16)}; 0x${a.mask.toString(16)})`;

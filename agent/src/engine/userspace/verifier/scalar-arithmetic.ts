import type { AluOp } from '../isa/opcodes.ts';
import { deduce } from './deduce-bounds.ts';
import {
  fitsS64,
  fitsU64,
  low32,
  max,
  min,
  S32_MAX,
  S32_MIN,
  S64_MAX,
  S64_MIN,
  s64,
  U32_MAX,
  U64_MAX,
  u64,
} from './int64.ts';
import { Memo } from './memo.ts';
import {
  ANY,
  type Bounds,
  constant,
  type Known,
  knownValue,
  type Scalar,
  UNBOUNDED_32,
  UNBOUNDED_64,
} from './scalar.ts';
import * as tnums from './tnum.ts';

/**
 * What arithmetic makes of what is known of its operands: adjust_scalar_min_max_vals() of kernel/bpf/verifier.c and the
 * scalar_min_max_*() below it. Division and shifts by more than the width, or by an unknown number, give any number,
 * of 64 bits even where the operation has 32: so does the kernel.
 */
export function arithmetic(op: AluOp, is64: boolean, a: Scalar, b: Scalar): Scalar {
  if (op === 'mov') return is64 ? b : truncate32(b);
  const code = MEMO_CODES[op] + (is64 ? 1 : 0);
  return memo.find(code, a, b) ?? memo.keep(code, a, b, compute(op, is64, a, b));
}

const memo = new Memo<Scalar>();

const MEMO_CODES: Readonly<Record<AluOp, number>> = {
  add: 0,
  sub: 2,
  mul: 4,
  div: 6,
  or: 8,
  and: 10,
  lsh: 12,
  rsh: 14,
  mod: 16,
  xor: 18,
  mov: 20,
  arsh: 22,
};

function compute(op: AluOp, is64: boolean, a: Scalar, b: Scalar): Scalar {
  const operation = OPERATIONS[op];
  const width = is64 ? 64 : 32;
  const isShift = op === 'lsh' || op === 'rsh' || op === 'arsh';
  const isFar = knownValue(is64 ? b : truncate32(b)) === undefined || b.umax >= BigInt(width);
  if (operation === undefined || (isShift && isFar)) return ANY;
  const result = operation(a, b, width);
  return is64 ? deduce(result.bits, result) : widen(result);
}

/** 0 - a */
export const negate = (is64: boolean, a: Scalar): Scalar =>
  arithmetic('sub', is64, constant(0n), a);

/** The low half, zero-extended: zext_32_to_64(). */
export function truncate32(a: Scalar): Scalar {
  return a.umax <= BigInt(U32_MAX) ? a : widen(a);
}

/** __reg_assign_32_into_64() */
function widen(low: Known): Scalar {
  const bits = tnums.cut(low.bits, 32);
  if (bits.mask === 0n) return constant(bits.value);
  const umin = BigInt(low.u32min);
  const umax = BigInt(low.u32max);
  const signed = low.s32min >= 0 && low.s32max >= 0;
  const smin = signed ? BigInt(low.s32min) : 0n;
  const smax = signed ? BigInt(low.s32max) : BigInt(U32_MAX);
  return deduce(bits, { ...low, umin, umax, smin, smax });
}

type Compute = (a: Scalar, b: Scalar, width: 32 | 64) => Known;

const OPERATIONS: Readonly<Partial<Record<AluOp, Compute>>> = {
  add: (a, b) => ({ bits: tnums.add(a.bits, b.bits), ...sum64(a, b), ...sum32(a, b) }),
  sub: (a, b) => ({
    bits: tnums.subtract(a.bits, b.bits),
    ...difference64(a, b),
    ...difference32(a, b),
  }),
  mul: (a, b) => ({ bits: tnums.multiply(a.bits, b.bits), ...product64(a, b), ...product32(a, b) }),
  and: (a, b) => {
    const bits = tnums.and(a.bits, b.bits);
    const umax = min(a.umax, b.umax);
    const u32max = Math.min(a.u32max, b.u32max);
    return bitwise(bits, bits.value, umax, low32(bits.value), u32max);
  },
  or: (a, b) => {
    const bits = tnums.or(a.bits, b.bits);
    const umin = max(a.umin, b.umin);
    const u32min = Math.max(a.u32min, b.u32min);
    return bitwise(bits, umin, tnums.mostUnsigned(bits), u32min, low32(tnums.mostUnsigned(bits)));
  },
  xor: (a, b) => {
    const bits = tnums.xor(a.bits, b.bits);
    const most = tnums.mostUnsigned(bits);
    return bitwise(bits, bits.value, most, low32(bits.value), low32(most));
  },
  lsh: shiftLeft,
  rsh: shiftRight,
  arsh: shiftRightSigned,
};

type Bounds64 = Pick<Bounds, 'umin' | 'umax' | 'smin' | 'smax'>;
type Bounds32 = Pick<Bounds, 'u32min' | 'u32max' | 's32min' | 's32max'>;

function sum64(a: Scalar, b: Scalar): Bounds64 {
  return {
    ...wrapped64(a.umin + b.umin, a.umax + b.umax),
    ...signed64(a.smin + b.smin, a.smax + b.smax),
  };
}

function difference64(a: Scalar, b: Scalar): Bounds64 {
  return {
    ...wrapped64(a.umin - b.umax, a.umax - b.umin),
    ...signed64(a.smin - b.smax, a.smax - b.smin),
  };
}

/** Both ends wrap around, or neither. */
function wrapped64(least: bigint, most: bigint): Pick<Bounds, 'umin' | 'umax'> {
  if (fitsU64(least) !== fitsU64(most)) return { umin: 0n, umax: U64_MAX };
  return { umin: u64(least), umax: u64(most) };
}

function signed64(least: bigint, most: bigint): Pick<Bounds, 'smin' | 'smax'> {
  if (!fitsS64(least) || !fitsS64(most)) return { smin: S64_MIN, smax: S64_MAX };
  return { smin: least, smax: most };
}

function product64(a: Scalar, b: Scalar): Bounds64 {
  const most = a.umax * b.umax;
  const corners = [a.smin * b.smin, a.smin * b.smax, a.smax * b.smin, a.smax * b.smax];
  const unsigned = fitsU64(most)
    ? { umin: a.umin * b.umin, umax: most }
    : { umin: 0n, umax: U64_MAX };
  const smin = corners.reduce(min);
  const smax = corners.reduce(max);
  return { ...unsigned, ...signed64(smin, smax) };
}

function sum32(a: Scalar, b: Scalar): Bounds32 {
  return {
    ...wrapped32(a.u32min + b.u32min, a.u32max + b.u32max),
    ...signed32(a.s32min + b.s32min, a.s32max + b.s32max),
  };
}

function difference32(a: Scalar, b: Scalar): Bounds32 {
  return {
    ...wrapped32(a.u32min - b.u32max, a.u32max - b.u32min),
    ...signed32(a.s32min - b.s32max, a.s32max - b.s32min),
  };
}

const fitsU32 = (value: number) => value >= 0 && value <= U32_MAX;
const fitsS32 = (value: number) => value >= S32_MIN && value <= S32_MAX;

function wrapped32(least: number, most: number): Pick<Bounds, 'u32min' | 'u32max'> {
  if (fitsU32(least) !== fitsU32(most)) return { u32min: 0, u32max: U32_MAX };
  return { u32min: least >>> 0, u32max: most >>> 0 };
}

function signed32(least: number, most: number): Pick<Bounds, 's32min' | 's32max'> {
  if (!fitsS32(least) || !fitsS32(most)) return { s32min: S32_MIN, s32max: S32_MAX };
  return { s32min: least, s32max: most };
}

/** Products of two 32-bit numbers can be too large for a number: those that fit are exact, and no other is used. */
function product32(a: Scalar, b: Scalar): Bounds32 {
  const most = a.u32max * b.u32max;
  const unsigned = fitsU32(most)
    ? { u32min: a.u32min * b.u32min, u32max: most }
    : { u32min: 0, u32max: U32_MAX };
  const smin = Math.min(
    a.s32min * b.s32min,
    a.s32min * b.s32max,
    a.s32max * b.s32min,
    a.s32max * b.s32max,
  );
  const smax = Math.max(
    a.s32min * b.s32min,
    a.s32min * b.s32max,
    a.s32max * b.s32min,
    a.s32max * b.s32max,
  );
  return { ...unsigned, ...signed32(smin, smax) };
}

/** Signed bounds follow from the unsigned ones unless these cross the sign. */
function bitwise(
  bits: tnums.Tnum,
  umin: bigint,
  umax: bigint,
  u32min: number,
  u32max: number,
): Known {
  const signed = s64(umin) <= s64(umax);
  const signed32 = (u32min | 0) <= (u32max | 0);
  return {
    bits,
    umin,
    umax,
    smin: signed ? s64(umin) : S64_MIN,
    smax: signed ? s64(umax) : S64_MAX,
    u32min,
    u32max,
    s32min: signed32 ? u32min | 0 : S32_MIN,
    s32max: signed32 ? u32max | 0 : S32_MAX,
  };
}

function shiftLeft(a: Scalar, b: Scalar, width: 32 | 64): Known {
  const distance = b.bits.value & 63n;
  const fits32 = distance < 32n && a.u32max * 2 ** Number(distance) <= U32_MAX;
  const unsigned32 = fits32
    ? {
        u32min: a.u32min * 2 ** Number(distance),
        u32max: a.u32max * 2 ** Number(distance),
      }
    : { u32min: 0, u32max: U32_MAX };
  const bits = width === 64 ? a.bits : tnums.cut(a.bits, 32);
  const unsigned = fitsU64(a.umax << distance)
    ? { umin: a.umin << distance, umax: a.umax << distance }
    : { umin: 0n, umax: U64_MAX };
  return {
    bits: tnums.shiftLeft(bits, distance),
    ...unsigned,
    ...signedAfterShiftLeft(a, distance),
    ...unsigned32,
    s32min: S32_MIN,
    s32max: S32_MAX,
  };
}

/** `<< 32`, then `s>> 32`, is how compilers sign-extended before there was an instruction for it. */
function signedAfterShiftLeft(a: Scalar, distance: bigint): Pick<Bounds, 'smin' | 'smax'> {
  if (distance !== 32n) return { smin: S64_MIN, smax: S64_MAX };
  return { smin: BigInt(a.s32min) << 32n, smax: BigInt(a.s32max) << 32n };
}

function shiftRight(a: Scalar, b: Scalar, width: 32 | 64): Known {
  const distance = b.bits.value & 63n;
  if (width === 64)
    return {
      bits: tnums.shiftRight(a.bits, distance),
      umin: a.umin >> distance,
      umax: a.umax >> distance,
      smin: S64_MIN,
      smax: S64_MAX,
      ...UNBOUNDED_32,
    };
  return {
    bits: tnums.shiftRight(tnums.cut(a.bits, 32), distance),
    ...UNBOUNDED_64,
    u32min: a.u32min >>> Number(distance),
    u32max: a.u32max >>> Number(distance),
    s32min: S32_MIN,
    s32max: S32_MAX,
  };
}

function shiftRightSigned(a: Scalar, b: Scalar, width: 32 | 64): Known {
  const distance = b.bits.value & 63n;
  if (width === 64)
    return {
      bits: tnums.shiftRightSigned(a.bits, distance, 64),
      umin: 0n,
      umax: U64_MAX,
      smin: a.smin >> distance,
      smax: a.smax >> distance,
      ...UNBOUNDED_32,
    };
  return {
    bits: tnums.shiftRightSigned(tnums.cut(a.bits, 32), distance, 32),
    ...UNBOUNDED_64,
    u32min: 0,
    u32max: U32_MAX,
    s32min: a.s32min >> Number(distance),
    s32max: a.s32max >> Number(distance),
  };
}

import { low32, S32_MAX, S32_MIN, S64_MAX, S64_MIN, s64, U32_MAX, U64_MAX, u64 } from './int64.ts';
import { contains, type Tnum, UNKNOWN } from './tnum.ts';

/** Bounds of a 64-bit value and of its low half, each read as unsigned and as signed. Inclusive. */
export interface Bounds {
  readonly umin: bigint;
  readonly umax: bigint;
  readonly smin: bigint;
  readonly smax: bigint;
  readonly u32min: number;
  readonly u32max: number;
  readonly s32min: number;
  readonly s32max: number;
}

/** What is known of a number: the number part of struct bpf_reg_state. */
export interface Known extends Bounds {
  readonly bits: Tnum;
}

/** The same with all that follows from it. Never changed; states share it. */
export interface Scalar extends Known {
  /** Differs between any two of the few thousand made last. */
  readonly serial: number;
}

let serial = 0;

/** Always of the same shape, which keeps them fast. */
export function scalar(bits: Tnum, b: Bounds): Scalar {
  serial = (serial + 1) | 0;
  return {
    serial,
    bits,
    umin: b.umin,
    umax: b.umax,
    smin: b.smin,
    smax: b.smax,
    u32min: b.u32min,
    u32max: b.u32max,
    s32min: b.s32min,
    s32max: b.s32max,
  };
}

export const UNBOUNDED_64 = { umin: 0n, umax: U64_MAX, smin: S64_MIN, smax: S64_MAX } as const;
export const UNBOUNDED_32 = {
  u32min: 0,
  u32max: U32_MAX,
  s32min: S32_MIN,
  s32max: S32_MAX,
} as const;

export const ANY: Scalar = scalar(UNKNOWN, { ...UNBOUNDED_64, ...UNBOUNDED_32 });

/** Most constants are small: offsets, sizes, flags. */
const SMALL = Array.from({ length: 1025 }, (_, index) => make(BigInt(index)));

/** A known number, given as signed or unsigned. */
export function constant(value: bigint): Scalar {
  return (value >= 0n && value <= 1024n ? SMALL[Number(value)] : undefined) ?? make(value);
}

export const constantOf = (value: number): Scalar => constant(BigInt(value));

function make(value: bigint): Scalar {
  const unsigned = u64(value);
  const signed = s64(value);
  const low = low32(unsigned);
  const bits = { value: unsigned, mask: 0n };
  return scalar(bits, {
    umin: unsigned,
    umax: unsigned,
    smin: signed,
    smax: signed,
    u32min: low,
    u32max: low,
    s32min: low | 0,
    s32max: low | 0,
  });
}

/** Any number of so many bytes, zero-extended. */
export function unsignedOfBytes(bytes: 1 | 2 | 4 | 8): Scalar {
  return UNSIGNED[bytes];
}

const unsigned = (bits: number): Scalar => {
  const most = 2 ** bits - 1;
  const signed = bits < 32 ? { s32min: 0, s32max: most } : { s32min: S32_MIN, s32max: S32_MAX };
  return scalar(
    { value: 0n, mask: BigInt(most) },
    {
      umin: 0n,
      umax: BigInt(most),
      smin: 0n,
      smax: BigInt(most),
      u32min: 0,
      u32max: most,
      ...signed,
    },
  );
};

const UNSIGNED = { 1: unsigned(8), 2: unsigned(16), 4: unsigned(32), 8: ANY } as const;

/** No bound says anything. */
export function isUnbounded(a: Bounds): boolean {
  return (
    a.u32min === 0 &&
    a.u32max === U32_MAX &&
    a.s32min === S32_MIN &&
    a.s32max === S32_MAX &&
    a.umin === 0n &&
    a.umax === U64_MAX &&
    a.smin === S64_MIN &&
    a.smax === S64_MAX
  );
}

/** The value of a number that is known. */
export function knownValue(number: Scalar): bigint | undefined {
  return number.bits.mask === 0n ? number.bits.value : undefined;
}

export const isZero = (number: Scalar): boolean =>
  number.bits.mask === 0n && number.bits.value === 0n;

/** Every value of `b` is one of `a`: range_within() and tnum_in() of kernel/bpf/verifier.c. */
export function includes(a: Scalar, b: Scalar): boolean {
  if (a === b) return true;
  return (
    a.umin <= b.umin &&
    a.umax >= b.umax &&
    a.smin <= b.smin &&
    a.smax >= b.smax &&
    a.u32min <= b.u32min &&
    a.u32max >= b.u32max &&
    a.s32min <= b.s32min &&
    a.s32max >= b.s32max &&
    contains(a.bits, b.bits)
  );
}

export const same = (a: Scalar, b: Scalar): boolean =>
  a === b || (includes(a, b) && includes(b, a));

/** There is no such number: what was assumed on the way here contradicts itself. */
export function isContradiction(a: Known): boolean {
  return (
    a.umin > a.umax ||
    a.smin > a.smax ||
    a.u32min > a.u32max ||
    a.s32min > a.s32max ||
    (a.bits.value & a.bits.mask) !== 0n
  );
}

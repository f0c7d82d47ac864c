import {
  HIGH_32,
  LOW_32,
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
import { ANY, type Bounds, constant, isUnbounded, type Scalar, scalar } from './scalar.ts';
import {
  cut,
  intersect,
  leastSigned,
  mostSigned,
  mostUnsigned,
  range,
  type Tnum,
  withLow32,
} from './tnum.ts';

type Mutable = { -readonly [K in keyof Bounds]: Bounds[K] };

/**
 * What the bits, the four ranges of 64 bits and the four of 32 bits say of each other. The order and the number of the
 * steps are those of reg_bounds_sync() in kernel/bpf/verifier.c, since more of them would accept more than the kernel.
 */
export function deduce(bits: Tnum, bounds: Bounds): Scalar {
  if (bits.mask === 0n) return constant(bits.value);
  if (bits.mask === U64_MAX && isUnbounded(bounds)) return ANY;
  const b: Mutable = copyOf(bounds);
  fromBits(b, bits);
  // A pass that changed nothing would change nothing again.
  for (let pass = 0; pass < 3 && deduceOnce(b); pass++);
  const known = toBits(b, bits);
  if (known.mask === 0n) return constant(known.value);
  fromBits(b, known);
  return known.mask === U64_MAX && isUnbounded(b) ? ANY : scalar(known, b);
}

/** Written out, since copying by name is much slower. */
const copyOf = (b: Bounds): Mutable => ({
  umin: b.umin,
  umax: b.umax,
  smin: b.smin,
  smax: b.smax,
  u32min: b.u32min,
  u32max: b.u32max,
  s32min: b.s32min,
  s32max: b.s32max,
});

/** __update_reg_bounds() */
function fromBits(b: Mutable, bits: Tnum): void {
  const value = low32(bits.value);
  const mask = low32(bits.mask);
  b.s32min = Math.max(b.s32min, value | (mask & S32_MIN));
  b.s32max = Math.min(b.s32max, value | (mask & S32_MAX));
  b.u32min = Math.max(b.u32min, value);
  b.u32max = Math.min(b.u32max, (value | mask) >>> 0);
  b.smin = max(b.smin, leastSigned(bits));
  b.smax = min(b.smax, mostSigned(bits));
  b.umin = max(b.umin, bits.value);
  b.umax = min(b.umax, mostUnsigned(bits));
}

/** __reg_bound_offset() */
function toBits(b: Bounds, bits: Tnum): Tnum {
  const all = intersect(bits, range(b.umin, b.umax));
  return withLow32(all, intersect(cut(all, 32), range(BigInt(b.u32min), BigInt(b.u32max))));
}

/** __reg_deduce_bounds(). Whether it changed something. */
function deduceOnce(b: Mutable): boolean {
  const { umin, umax, smin, smax, u32min, u32max, s32min, s32max } = b;
  low32FromAll(b);
  signedAndUnsigned32(b);
  signedAndUnsigned64(b);
  allFromLow32(b);
  return (
    b.umin !== umin ||
    b.umax !== umax ||
    b.smin !== smin ||
    b.smax !== smax ||
    b.u32min !== u32min ||
    b.u32max !== u32max ||
    b.s32min !== s32min ||
    b.s32max !== s32max
  );
}

/** The half of __reg32_deduce_bounds() that looks at 64-bit ranges. */
function low32FromAll(b: Mutable): void {
  const unsignedIsWide = b.umin === 0n && b.umax === U64_MAX;
  if (!unsignedIsWide) low32FromRange(b, b.umin, b.umax);
  const signedIsWide = b.smin === S64_MIN && b.smax === S64_MAX;
  if (!signedIsWide && (unsignedIsWide || b.smin !== b.umin || b.smax !== b.umax))
    low32FromRange(b, u64(b.smin), u64(b.smax));
}

function low32FromRange(b: Mutable, least: bigint, most: bigint): void {
  const from = low32(least);
  const to = low32(most);
  const highFrom = low32(least >> 32n);
  const highTo = low32(most >> 32n);
  if (highFrom === highTo) {
    if (from <= to) limitUnsigned32(b, from, to);
    if ((from | 0) <= (to | 0)) limitSigned32(b, from | 0, to | 0);
  } else if (((highFrom + 1) | 0) === (highTo | 0) && (from | 0) < 0 && (to | 0) >= 0) {
    // From just below 2^32 to just above: a range around 0, read as signed.
    limitSigned32(b, from | 0, to | 0);
  }
}

/** The other half of __reg32_deduce_bounds(): a range that does not cross the sign is one for both readings. */
function signedAndUnsigned32(b: Mutable): void {
  if ((b.u32min | 0) <= (b.u32max | 0)) limitSigned32(b, b.u32min | 0, b.u32max | 0);
  if (b.s32min >>> 0 <= b.s32max >>> 0) {
    limitUnsigned32(b, b.s32min >>> 0, b.s32max >>> 0);
  } else if (b.u32max < b.s32min >>> 0) {
    b.s32min = b.u32min | 0;
    b.u32max = Math.min(b.u32max, b.s32max >>> 0);
  } else if (b.s32max >>> 0 < b.u32min) {
    b.s32max = b.u32max | 0;
    b.u32min = Math.max(b.u32min, b.s32min >>> 0);
  }
}

/** __reg64_deduce_bounds() */
function signedAndUnsigned64(b: Mutable): void {
  if (s64(b.umin) <= s64(b.umax)) limitSigned64(b, s64(b.umin), s64(b.umax));
  if (u64(b.smin) <= u64(b.smax)) {
    limitUnsigned64(b, u64(b.smin), u64(b.smax));
  } else if (b.umax < u64(b.smin)) {
    // The signed range has two parts, read as unsigned; the unsigned one meets only the low part.
    b.smin = s64(b.umin);
    b.umax = min(b.umax, u64(b.smax));
  } else if (u64(b.smax) < b.umin) {
    b.smax = s64(b.umax);
    b.umin = max(b.umin, u64(b.smin));
  }
}

/** __reg_deduce_mixed_bounds() */
function allFromLow32(b: Mutable): void {
  if (b.u32min !== 0 || b.u32max !== U32_MAX) {
    const least = BigInt(b.u32min);
    const most = BigInt(b.u32max);
    limitUnsigned64(b, (b.umin & HIGH_32) | least, (b.umax & HIGH_32) | most);
    limitSigned64(b, (b.smin & ~LOW_32) | least, (b.smax & ~LOW_32) | most);
  }
  // A sign-extended word whose low half is not negative.
  if (b.s32min >= 0 && b.smin >= BigInt(S32_MIN) && b.smax <= BigInt(S32_MAX)) {
    // Set, not limited, as in the kernel: what was known of the whole may be lost here.
    b.smin = b.umin = BigInt(b.s32min);
    b.smax = b.umax = BigInt(b.s32max);
  }
}

function limitUnsigned32(b: Mutable, least: number, most: number): void {
  if (least > b.u32min) b.u32min = least;
  if (most < b.u32max) b.u32max = most;
}

function limitSigned32(b: Mutable, least: number, most: number): void {
  if (least > b.s32min) b.s32min = least;
  if (most < b.s32max) b.s32max = most;
}

function limitUnsigned64(b: Mutable, least: bigint, most: bigint): void {
  if (least > b.umin) b.umin = least;
  if (most < b.umax) b.umax = most;
}

function limitSigned64(b: Mutable, least: bigint, most: bigint): void {
  if (least > b.smin) b.smin = least;
  if (most < b.smax) b.smax = most;
}

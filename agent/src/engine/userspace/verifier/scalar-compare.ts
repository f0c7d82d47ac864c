import type { Comparison } from '../isa/opcodes.ts';
import { deduce } from './deduce-bounds.ts';
import { max, min, S32_MAX, S32_MIN, S64_MAX, S64_MIN, U32_MAX, U64_MAX } from './int64.ts';
import { Memo } from './memo.ts';
import { type Known, type Scalar, same, UNBOUNDED_32, UNBOUNDED_64 } from './scalar.ts';
import * as tnums from './tnum.ts';

/**
 * Whether a conditional jump is taken: true, false, or undefined when both can be. is_scalar_branch_taken() of
 * kernel/bpf/verifier.c.
 */
export function isTaken(op: Comparison, is64: boolean, a: Scalar, b: Scalar): boolean | undefined {
  if (!is64) return decide(op, range32(a), range32(b));
  const decided = decide(op, a, b);
  if (decided !== undefined || (op !== 'eq' && op !== 'ne')) return decided;
  // Numbers are not equal when their low halves are not.
  return isDisjoint32(a, b) ? op === 'ne' : undefined;
}

const isDisjoint32 = (a: Scalar, b: Scalar): boolean =>
  a.u32min > b.u32max || a.u32max < b.u32min || a.s32min > b.s32max || a.s32max < b.s32min;

/** One width's part of a scalar. */
interface Ranges {
  readonly bits: tnums.Tnum;
  readonly umin: bigint | number;
  readonly umax: bigint | number;
  readonly smin: bigint | number;
  readonly smax: bigint | number;
}

const range32 = (a: Scalar): Ranges => ({
  bits: tnums.cut(a.bits, 32),
  umin: a.u32min,
  umax: a.u32max,
  smin: a.s32min,
  smax: a.s32max,
});

function decide(op: Comparison, a: Ranges, b: Ranges): boolean | undefined {
  switch (op) {
    case 'eq':
      return isEqual(a, b);
    case 'ne':
      return not(isEqual(a, b));
    case 'set':
      return meets(a.bits, b.bits);
    case 'gt':
      return isGreater(a.umin, a.umax, b.umin, b.umax);
    case 'le':
      return not(isGreater(a.umin, a.umax, b.umin, b.umax));
    case 'lt':
      return isGreater(b.umin, b.umax, a.umin, a.umax);
    case 'ge':
      return not(isGreater(b.umin, b.umax, a.umin, a.umax));
    case 'sgt':
      return isGreater(a.smin, a.smax, b.smin, b.smax);
    case 'sle':
      return not(isGreater(a.smin, a.smax, b.smin, b.smax));
    case 'slt':
      return isGreater(b.smin, b.smax, a.smin, a.smax);
    case 'sge':
      return not(isGreater(b.smin, b.smax, a.smin, a.smax));
  }
}

const not = (answer: boolean | undefined) => (answer === undefined ? undefined : !answer);

function isGreater(
  amin: bigint | number,
  amax: bigint | number,
  bmin: bigint | number,
  bmax: bigint | number,
): boolean | undefined {
  if (amin > bmax) return true;
  return amax <= bmin ? false : undefined;
}

function isEqual(a: Ranges, b: Ranges): boolean | undefined {
  if (a.bits.mask === 0n && b.bits.mask === 0n) return a.bits.value === b.bits.value;
  // A bit that both know, and know to differ.
  if (((a.bits.value ^ b.bits.value) & ~a.bits.mask & ~b.bits.mask) !== 0n) return false;
  if (a.umin > b.umax || a.umax < b.umin || a.smin > b.smax || a.smax < b.smin) return false;
  return undefined;
}

/** Only a constant says which bits are tested. */
function meets(a: tnums.Tnum, b: tnums.Tnum): boolean | undefined {
  const [known, tested] = a.mask === 0n ? [b, a] : [a, b];
  if (tested.mask !== 0n) return undefined;
  if ((known.value & tested.value) !== 0n) return true;
  return ((known.value | known.mask) & tested.value) === 0n ? false : undefined;
}

const OPPOSITE: Readonly<Record<Exclude<Comparison, 'set'>, Comparison>> = {
  eq: 'ne',
  ne: 'eq',
  gt: 'le',
  le: 'gt',
  lt: 'ge',
  ge: 'lt',
  sgt: 'sle',
  sle: 'sgt',
  slt: 'sge',
  sge: 'slt',
};

/**
 * What is known of both operands where the jump is taken, or where it is not: regs_refine_cond_op() and reg_bounds_sync().
 * A contradiction when it cannot be.
 */
export function assume(
  op: Comparison,
  is64: boolean,
  taken: boolean,
  a: Scalar,
  b: Scalar,
): readonly [Scalar, Scalar] {
  const code = MEMO_CODES[op] + (is64 ? 1 : 0) + (taken ? 2 : 0);
  return memo.find(code, a, b) ?? memo.keep(code, a, b, refineBoth(op, is64, taken, a, b));
}

function refineBoth(
  op: Comparison,
  is64: boolean,
  taken: boolean,
  a: Scalar,
  b: Scalar,
): readonly [Scalar, Scalar] {
  const left: Refined = { ...a };
  const right: Refined = { ...b };
  if (op === 'set') refineBits(is64, taken, left, right);
  else refine(taken ? op : OPPOSITE[op], is64, left, right);
  return [deduced(left, a), deduced(right, b)];
}

const memo = new Memo<readonly [Scalar, Scalar]>();

const MEMO_CODES: Readonly<Record<Comparison, number>> = {
  eq: 0,
  gt: 4,
  ge: 8,
  set: 12,
  ne: 16,
  sgt: 20,
  sge: 24,
  lt: 28,
  le: 32,
  slt: 36,
  sle: 40,
};

/** The same object where nothing new is known, so that states go on sharing it. */
function deduced(refined: Known, before: Scalar): Scalar {
  const after = deduce(refined.bits, refined);
  return same(before, after) ? before : after;
}

type Refined = { -readonly [K in keyof Known]: Known[K] };

function refine(op: Comparison, is64: boolean, a: Refined, b: Refined): void {
  switch (op) {
    case 'eq':
      if (is64) equal64(a, b);
      else equal32(a, b);
      break;
    case 'ne':
      if (valueIn(is64, b) !== undefined) exclude(is64, a, b);
      else if (valueIn(is64, a) !== undefined) exclude(is64, b, a);
      break;
    case 'gt':
      lessOrEqual(is64, true, b, a);
      break;
    case 'ge':
      lessOrEqual(is64, false, b, a);
      break;
    case 'lt':
      lessOrEqual(is64, true, a, b);
      break;
    case 'le':
      lessOrEqual(is64, false, a, b);
      break;
    case 'sgt':
      signedLessOrEqual(is64, true, b, a);
      break;
    case 'sge':
      signedLessOrEqual(is64, false, b, a);
      break;
    case 'slt':
      signedLessOrEqual(is64, true, a, b);
      break;
    case 'sle':
      signedLessOrEqual(is64, false, a, b);
      break;
  }
}

function equal64(a: Refined, b: Refined): void {
  a.umin = b.umin = max(a.umin, b.umin);
  a.umax = b.umax = min(a.umax, b.umax);
  a.smin = b.smin = max(a.smin, b.smin);
  a.smax = b.smax = min(a.smax, b.smax);
  equalBounds32(a, b);
  a.bits = b.bits = tnums.intersect(a.bits, b.bits);
}

function equal32(a: Refined, b: Refined): void {
  equalBounds32(a, b);
  const low = tnums.intersect(tnums.cut(a.bits, 32), tnums.cut(b.bits, 32));
  a.bits = tnums.withLow32(a.bits, low);
  b.bits = tnums.withLow32(b.bits, low);
}

function equalBounds32(a: Refined, b: Refined): void {
  a.u32min = b.u32min = Math.max(a.u32min, b.u32min);
  a.u32max = b.u32max = Math.min(a.u32max, b.u32max);
  a.s32min = b.s32min = Math.max(a.s32min, b.s32min);
  a.s32max = b.s32max = Math.min(a.s32max, b.s32max);
}

const valueIn = (is64: boolean, { bits }: Refined): bigint | undefined => {
  const known = is64 ? bits : tnums.cut(bits, 32);
  return known.mask === 0n ? known.value : undefined;
};

/** A constant at the end of a range takes that end off. */
function exclude(is64: boolean, a: Refined, constant: Refined): void {
  if (is64) {
    if (a.umin === constant.umin) a.umin++;
    if (a.umax === constant.umin) a.umax--;
    if (a.smin === constant.smin) a.smin++;
    if (a.smax === constant.smin) a.smax--;
  } else {
    if (a.u32min === constant.u32min) a.u32min++;
    if (a.u32max === constant.u32min) a.u32max--;
    if (a.s32min === constant.s32min) a.s32min++;
    if (a.s32max === constant.s32min) a.s32max--;
  }
}

/** a <= b, or a < b. */
function lessOrEqual(is64: boolean, strict: boolean, a: Refined, b: Refined): void {
  if (is64) {
    const step = strict ? 1n : 0n;
    // Nothing is below the least number: isTaken() knows that such a branch is not possible.
    a.umax = min(a.umax, strict && b.umax === 0n ? 0n : b.umax - step);
    b.umin = max(b.umin, strict && a.umin === U64_MAX ? U64_MAX : a.umin + step);
  } else {
    const step = strict ? 1 : 0;
    a.u32max = Math.min(a.u32max, strict && b.u32max === 0 ? 0 : b.u32max - step);
    b.u32min = Math.max(b.u32min, strict && a.u32min === U32_MAX ? U32_MAX : a.u32min + step);
  }
}

function signedLessOrEqual(is64: boolean, strict: boolean, a: Refined, b: Refined): void {
  if (is64) {
    const step = strict ? 1n : 0n;
    a.smax = min(a.smax, strict && b.smax === S64_MIN ? S64_MIN : b.smax - step);
    b.smin = max(b.smin, strict && a.smin === S64_MAX ? S64_MAX : a.smin + step);
  } else {
    const step = strict ? 1 : 0;
    a.s32max = Math.min(a.s32max, strict && b.s32max === S32_MIN ? S32_MIN : b.s32max - step);
    b.s32min = Math.max(b.s32min, strict && a.s32min === S32_MAX ? S32_MAX : a.s32min + step);
  }
}

/** `&` with a constant: a single bit that is set, or bits that are all clear. */
function refineBits(is64: boolean, taken: boolean, a: Refined, b: Refined): void {
  if (valueIn(is64, b) === undefined) [a, b] = [b, a];
  const tested = valueIn(is64, b);
  if (tested === undefined) return;
  const { value, mask } = a.bits;
  if (!taken) {
    // The ranges are forgotten, since on a side that is never taken they would contradict the bits: so does the kernel.
    Object.assign(a, UNBOUNDED_64, UNBOUNDED_32);
    a.bits = tnums.tnum(value & ~tested, mask & ~tested);
  } else if (tested !== 0n && (tested & (tested - 1n)) === 0n)
    a.bits = tnums.tnum(value | tested, mask & ~tested);
}

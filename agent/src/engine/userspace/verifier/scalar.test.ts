import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { AluOp, Comparison } from '../isa/opcodes.ts';
import { deduce } from './deduce-bounds.ts';
import { low32, s64, U64_MAX, u64 } from './int64.ts';
import { ANY, constant, includes, type Scalar } from './scalar.ts';
import { arithmetic, negate } from './scalar-arithmetic.ts';
import { assume, isTaken } from './scalar-compare.ts';
import { signExtend, swapBytes, zeroExtend } from './scalar-extend.ts';

/** Numbers near the ends of ranges, and others. */
const word = fc.oneof(
  fc.bigInt({ min: 0n, max: U64_MAX }),
  fc.bigInt({ min: -70n, max: 70n }).map(u64),
  fc
    .tuple(fc.constantFrom(7n, 8n, 15n, 16n, 31n, 32n, 63n), fc.bigInt({ min: -3n, max: 3n }))
    .map(([bits, step]) => u64((1n << bits) + step)),
);

interface Sample {
  readonly value: bigint;
  readonly number: Scalar;
}

const step = fc.bigInt({ min: -2n, max: 2n });

/** Something that is true of the value; its ranges often end at it. */
const sampleOf = (value: bigint): fc.Arbitrary<Sample> =>
  fc
    .tuple(
      fc.oneof(
        word,
        step.map((by) => u64(value + by)),
      ),
      word,
      fc.integer({ min: 0, max: 7 }),
    )
    .map(([other, mask, kind]) => ({ value, number: knowledge(value, other, mask, kind) }));

const sample = word.chain(sampleOf);

/** Two, which are often the same number or beside it. */
const pair: fc.Arbitrary<readonly [Sample, Sample]> = fc
  .tuple(word, word, step, fc.boolean())
  .chain(([a, other, by, near]) => fc.tuple(sampleOf(a), sampleOf(near ? u64(a + by) : other)));

function knowledge(value: bigint, other: bigint, mask: bigint, kind: number): Scalar {
  if (kind === 0) return constant(value);
  const bits = (kind & 1) !== 0 ? { value: value & ~mask, mask } : ANY.bits;
  const [least, most] = value < other ? [value, other] : [other, value];
  const unsigned = (kind & 2) !== 0 ? { umin: least, umax: most } : {};
  const [sleast, smost] = s64(value) < s64(other) ? [value, other] : [other, value];
  const signed = (kind & 4) !== 0 ? { smin: s64(sleast), smax: s64(smost) } : {};
  return deduce(bits, { ...ANY, ...unsigned, ...signed });
}

const holds = (number: Scalar, value: bigint, what: string): void =>
  assert.ok(includes(number, constant(value)), `${what}: ${value} is not in ${text(number)}`);

const text = (number: Scalar): string =>
  JSON.stringify(number, (_, each) => (typeof each === 'bigint' ? `${each}` : each));

const ALU_OPS = [
  'add',
  'sub',
  'mul',
  'div',
  'or',
  'and',
  'lsh',
  'rsh',
  'mod',
  'xor',
  'arsh',
] as const;
const COMPARISONS = [
  'eq',
  'gt',
  'ge',
  'set',
  'ne',
  'sgt',
  'sge',
  'lt',
  'le',
  'slt',
  'sle',
] as const;

function compute(op: AluOp, is64: boolean, a: bigint, b: bigint): bigint {
  const bits = is64 ? 64 : 32;
  const [x, y] = [BigInt.asUintN(bits, a), BigInt.asUintN(bits, b)];
  const distance = y & BigInt(bits - 1);
  const results: Record<AluOp, () => bigint> = {
    add: () => x + y,
    sub: () => x - y,
    mul: () => x * y,
    div: () => (y === 0n ? 0n : x / y),
    mod: () => (y === 0n ? x : x % y),
    or: () => x | y,
    and: () => x & y,
    xor: () => x ^ y,
    lsh: () => x << distance,
    rsh: () => x >> distance,
    arsh: () => BigInt.asIntN(bits, x) >> distance,
    mov: () => y,
  };
  return BigInt.asUintN(bits, results[op]());
}

function compare(op: Comparison, is64: boolean, a: bigint, b: bigint): boolean {
  const bits = is64 ? 64 : 32;
  const [x, y] = [BigInt.asUintN(bits, a), BigInt.asUintN(bits, b)];
  const [sx, sy] = [BigInt.asIntN(bits, a), BigInt.asIntN(bits, b)];
  const results: Record<Comparison, boolean> = {
    eq: x === y,
    ne: x !== y,
    gt: x > y,
    ge: x >= y,
    lt: x < y,
    le: x <= y,
    sgt: sx > sy,
    sge: sx >= sy,
    slt: sx < sy,
    sle: sx <= sy,
    set: (x & y) !== 0n,
  };
  return results[op];
}

const RUNS = { numRuns: 4_000 };

describe('what is known of numbers', () => {
  it('stays true when more is deduced', () => {
    fc.assert(
      fc.property(sample, ({ value, number }) => {
        holds(number, value, 'deduced');
      }),
      RUNS,
    );
  });

  it('is true of what is computed', () => {
    fc.assert(
      fc.property(fc.constantFrom(...ALU_OPS), fc.boolean(), pair, (op, is64, [a, b]) => {
        const result = compute(op, is64, a.value, b.value);
        holds(arithmetic(op, is64, a.number, b.number), result, `${op} ${is64}`);
      }),
      RUNS,
    );
  });

  it('is true of what is extended, negated and swapped', () => {
    fc.assert(
      fc.property(sample, ({ value, number }) => {
        for (const bits of [8, 16, 32] as const) {
          holds(signExtend(number, bits), u64(BigInt.asIntN(bits, value)), `s${bits}`);
          const bytes = (bits / 8) as 1 | 2 | 4;
          holds(zeroExtend(number, bytes), BigInt.asUintN(bits, value), `u${bits}`);
        }
        holds(negate(true, number), u64(-value), 'negated');
        holds(negate(false, number), BigInt(low32(u64(-value))), 'negated, 32 bits');
        holds(swapBytes(number, 64), swapped(value, 8), 'bswap64');
        holds(swapBytes(number, 16), swapped(value, 2), 'bswap16');
      }),
      RUNS,
    );
  });

  it('is true on the side of a comparison that is taken', () => {
    fc.assert(
      fc.property(fc.constantFrom(...COMPARISONS), fc.boolean(), pair, (op, is64, [a, b]) => {
        const taken = compare(op, is64, a.value, b.value);
        assert.notEqual(isTaken(op, is64, a.number, b.number), !taken);
        const [left, right] = assume(op, is64, taken, a.number, b.number);
        holds(left, a.value, `left of ${op} ${is64} ${taken}`);
        holds(right, b.value, `right of ${op} ${is64} ${taken}`);
      }),
      RUNS,
    );
  });
});

function swapped(value: bigint, bytes: number): bigint {
  const hex = BigInt.asUintN(bytes * 8, value)
    .toString(16)
    .padStart(bytes * 2, '0');
  return BigInt(`0x${hex.match(/../g)?.reverse().join('')}`);
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HISTORY, Lineage } from './lineage.ts';

interface Stored {
  readonly generation: bigint;
  readonly isSound: boolean;
  /** Whether its value says a generation at all, before it is verified. */
  readonly claims: boolean;
}

/** Stored values are indices of `all`; revisions are the indices plus one. */
function lineageOf(all: readonly Stored[]) {
  const opened: bigint[] = [];
  const replays: bigint[] = [];
  const stored = (value: Uint8Array) => all[value[0] ?? 0];
  const lineage = new Lineage<Stored>({
    claim(value) {
      const found = stored(value);
      return found?.claims ? found.generation : undefined;
    },
    open({ revision, value }) {
      opened.push(revision);
      const found = stored(value);
      return found?.isSound ? found : undefined;
    },
    onReplay: (revision) => replays.push(revision),
  });
  const add = (index: number) =>
    lineage.add({ revision: BigInt(index + 1), value: Uint8Array.of(index) });
  return { lineage, add, opened, replays };
}

const sound = (generation: bigint): Stored => ({ generation, isSound: true, claims: true });
const forged = (generation: bigint): Stored => ({ generation, isSound: false, claims: true });
const junk: Stored = { generation: 1n, isSound: false, claims: false };

test('of many generations in order only the newest is verified, until the others are asked for', () => {
  const all = Array.from({ length: HISTORY }, (_, i) => sound(BigInt(i + 1)));
  const { lineage, add, opened } = lineageOf(all);
  for (const index of all.keys()) add(index);
  assert.deepEqual(opened, []);
  assert.equal(lineage.head()?.generation, 64n);
  assert.deepEqual(opened, [64n]);
  assert.deepEqual(lineage.outline()?.claimed.length, HISTORY);
  assert.deepEqual(opened, [64n, 1n]);
  assert.equal(lineage.history().length, HISTORY);
  assert.equal(opened.length, HISTORY);
});

test('what is below is looked at when it claims to be as new as the newest', () => {
  const cases: [readonly Stored[], head: bigint | undefined, replays: bigint[]][] = [
    [[sound(1n), sound(5n), sound(3n)], 5n, [3n]],
    [[sound(1n), sound(5n), sound(5n)], 5n, [3n]],
    [[sound(1n), forged(5n), sound(3n)], 3n, []],
    [[sound(9n), sound(2n), sound(3n)], 9n, [2n, 3n]],
    [[sound(1n), forged(2n)], 1n, []],
    [[forged(2n)], undefined, []],
    [[sound(1n), junk, sound(3n)], 3n, []],
    [[sound(1n), junk], 1n, []],
  ];
  for (const [all, head, replayed] of cases) {
    const { lineage, add, replays } = lineageOf(all);
    for (const index of all.keys()) add(index);
    assert.equal(lineage.head()?.generation, head);
    assert.deepEqual(replays, replayed);
  }
});

test('any values in any order: the same as verifying each, and each is verified once at most', () => {
  // Who forges a value may have it claim nothing.
  const kinds = [
    { isSound: true, claims: true },
    { isSound: false, claims: true },
    { isSound: false, claims: false },
  ];
  const anyStored = fc
    .tuple(fc.bigInt(1n, 12n), fc.constantFrom(...kinds))
    .map(([generation, kind]): Stored => ({ generation, ...kind }));
  const anyCase = fc
    .array(anyStored, { minLength: 1, maxLength: 12 })
    .chain((all) =>
      fc.tuple(
        fc.constant(all),
        fc.shuffledSubarray([...all.keys()], { minLength: all.length }),
        fc.array(fc.boolean(), { minLength: all.length, maxLength: all.length }),
      ),
    );
  fc.assert(
    fc.property(anyCase, ([all, order, looks]) => {
      const { lineage, add, opened } = lineageOf(all);
      for (const [turn, index] of order.entries()) {
        add(index);
        add(index);
        if (looks[turn])
          assert.equal(lineage.head(), risingOf(all, order.slice(0, turn + 1)).at(-1));
      }
      assert.equal(lineage.head(), risingOf(all, order).at(-1));
      assert.deepEqual(lineage.history(), risingOf(all, order));
      assert.equal(new Set(opened).size, opened.length);
      assert.equal(lineage.lastRevision, BigInt(all.length));
    }),
  );
});

/** By revision, the sound ones that are newer than all before them. */
function risingOf(all: readonly Stored[], added: readonly number[]): Stored[] {
  const rising: Stored[] = [];
  for (const [index, stored] of all.entries()) {
    const isNewer = stored.generation > (rising.at(-1)?.generation ?? 0n);
    if (added.includes(index) && stored.isSound && isNewer) rising.push(stored);
  }
  return rising;
}

test('a value that claims nothing has every value verified, and then goes', () => {
  const { lineage, add, opened } = lineageOf([sound(1n), sound(2n), junk, sound(3n)]);
  for (const index of [0, 1, 2, 3]) add(index);
  assert.equal(lineage.head()?.generation, 3n);
  assert.deepEqual(opened.toSorted(), [1n, 2n, 3n, 4n]);
  assert.deepEqual(lineage.outline()?.claimed, [1n, 2n, 3n]);
});

test('more than the bucket keeps: the oldest go', () => {
  const all = Array.from({ length: HISTORY + 3 }, (_, i) => sound(BigInt(i + 1)));
  const { lineage, add } = lineageOf(all);
  for (const index of all.keys()) add(index);
  assert.deepEqual(lineage.history(), all.slice(3));
});

test('more than the bucket keeps: junk does not push out what is sound', () => {
  const all = [sound(1n), sound(2n), ...Array.from({ length: 2 * HISTORY }, () => forged(1n))];
  const { lineage, add } = lineageOf(all);
  for (const index of all.keys()) add(index);
  assert.deepEqual(
    lineage.history().map(({ generation }) => generation),
    [1n, 2n],
  );
});

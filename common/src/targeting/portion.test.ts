import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hostHash, inPortion, portionByRank } from './portion.ts';

const hosts = fc.uniqueArray(fc.stringMatching(/^[a-z0-9]{1,8}$/), { maxLength: 60 });
// Doubles alone are mostly next to 0.
const percent = fc.oneof(
  fc.integer({ min: 0, max: 100 }),
  fc.double({ min: 0, max: 100, noNaN: true }),
);
const salt = fc.string({ maxLength: 8 });
const takenBy = (p: ReturnType<typeof portionByRank>, all: string[]) =>
  all.filter((host) => inPortion(p, host));

test('exactly the rounded share is in, at least one host of any', () => {
  fc.assert(
    fc.property(hosts, percent, salt, (all, share, s) => {
      const expected = share > 0 ? Math.max(1, Math.round((all.length * share) / 100)) : 0;
      const taken = takenBy(portionByRank(share, all, s), all);
      assert.equal(taken.length, Math.min(expected, all.length));
    }),
  );
  const thirty = Array.from({ length: 30 }, (_, i) => `h${i}`);
  assert.equal(takenBy(portionByRank(10, thirty, 's'), thirty).length, 3);
});

test('a wider share over the same hosts takes in every host that the narrower one did', () => {
  fc.assert(
    fc.property(hosts, percent, percent, salt, (all, x, y, s) => {
      const narrow = portionByRank(Math.min(x, y), all, s);
      const wide = portionByRank(Math.max(x, y), all, s);
      assert.ok(narrow.threshold <= wide.threshold);
    }),
  );
});

test('order and repetition of the hosts do not matter', () => {
  fc.assert(
    fc.property(hosts, percent, salt, (all, share, s) => {
      const once = portionByRank(share, all, s);
      const repeated = [...all, ...Array<string>(40).fill(all[0] ?? 'h')].reverse();
      if (all.length > 0) assert.deepEqual(portionByRank(share, repeated, s), once);
    }),
  );
});

test('the ends: 0 takes nobody, not even who joins later; 100 takes everybody', () => {
  fc.assert(
    fc.property(hosts, salt, fc.string(), (all, s, later) => {
      assert.ok(!inPortion(portionByRank(0, all, s), later));
      assert.ok(inPortion(portionByRank(100, all, s), later));
      assert.ok(portionByRank(100, all, s).threshold <= 1n << 63n);
    }),
  );
});

test('hosts that join later fall in by the share', () => {
  const known = Array.from({ length: 200 }, (_, i) => `old-${i}`);
  const joined = Array.from({ length: 4_000 }, (_, i) => `new-${i}`);
  const share = takenBy(portionByRank(25, known, 'k'), joined).length / joined.length;
  assert.ok(share > 0.2 && share < 0.3, `${share}`);
});

test('the hash is pinned: agents of every version must agree', () => {
  assert.equal(hostHash('net.drop_icmp', 'web-1'), HASH_OF_WEB_1);
  assert.notEqual(hostHash('a', 'b'), hostHash('ab', ''));
});

/** printf 'net.drop_icmp\0web-1' | sha256sum, the first 8 bytes, shifted right by one. */
const HASH_OF_WEB_1 = 0x779b1347c0e8e61dn;

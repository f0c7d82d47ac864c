import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VariantCache } from './variant-cache.ts';
import { NO_LOAD_STATISTICS } from './verifier-log.ts';

/** Its id is one more than its vector. */
function variant(vector: string, jitedBytes = 100) {
  const info = {
    id: Number.parseInt(vector, 16) + 1,
    type: 6,
    tag: new Uint8Array(),
    verifiedInstructions: 1,
    xlatedBytes: 1,
    jitedBytes,
  };
  return { vector, handle: info.id, info, load: NO_LOAD_STATISTICS };
}

const names = (variants: readonly { vector: string }[]) => variants.map((each) => each.vector);

test('what was not used for longest goes first, the one in force never', () => {
  const cache = new VariantCache({ count: 3, bytes: 10_000 });
  for (const vector of ['0', '1', '2']) assert.deepEqual(cache.add(variant(vector), 1), []);
  cache.use('1');
  assert.deepEqual(names(cache.add(variant('3'), 1)), ['2']);
  assert.deepEqual(names(cache.add(variant('4'), 1)), ['1']);
  assert.deepEqual(names(cache.all), ['0', '3', '4']);
});

test('bytes count too, and one variant in force may exceed them alone', () => {
  const cache = new VariantCache({ count: 10, bytes: 250 });
  cache.add(variant('0'), 1);
  cache.add(variant('1'), 1);
  assert.deepEqual(names(cache.add(variant('2', 500), 3)), ['0', '1']);
  assert.equal(cache.bytes, 500);
});

test('a vector loaded again replaces its variant', () => {
  const cache = new VariantCache({ count: 2, bytes: 1_000 });
  cache.add(variant('0'), 1);
  cache.add(variant('0', 300), 1);
  assert.equal(cache.bytes, 300);
  assert.equal(cache.byProgramId(1)?.vector, '0');
});

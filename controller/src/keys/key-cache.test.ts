import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sealDesired } from '#common/envelope.ts';
import { generateSeed, signerFromSeed, verifierFromPublic } from '#common/nkey.ts';
import { desired } from '../testing/desired.ts';
import { KeyCache } from './key-cache.ts';
import { HISTORY } from './lineage.ts';
import type { RejectReason } from './record-cache.ts';

const signer = signerFromSeed(generateSeed());

function setup() {
  const rejected: RejectReason[] = [];
  const changes: string[] = [];
  const cache = new KeyCache(verifierFromPublic(signer.publicKey), (reason) =>
    rejected.push(reason),
  );
  cache.onChange((name) => changes.push(name));
  const ingest = (revision: bigint, generation: bigint, name = 'k') =>
    cache.ingest({
      name: 'k',
      revision,
      value: sealDesired(desired({ name, generation }), signer),
    });
  return { cache, rejected, changes, ingest };
}

test('entries in any order and more than once make one history', () => {
  const { cache, rejected, changes, ingest } = setup();
  ingest(10n, 1n);
  ingest(30n, 21n);
  ingest(20n, 11n);
  ingest(30n, 21n);
  assert.deepEqual(
    cache.history('k').map((s) => s.generation),
    [1n, 11n, 21n],
  );
  assert.equal(cache.lastRevision('k'), 30n);
  assert.deepEqual([changes, rejected], [['k', 'k'], []]);
});

test('an older one put again, or one of another key, counts as revision only and is told once', () => {
  const { cache, rejected, ingest } = setup();
  ingest(10n, 1n);
  ingest(20n, 11n);
  for (let i = 0; i < 2; i++) {
    ingest(30n, 1n);
    ingest(31n, 5n);
    ingest(32n, 99n, 'other');
    cache.ingest({ name: 'k', revision: 33n, value: new Uint8Array() });
  }
  assert.deepEqual(rejected, ['replayed', 'replayed', 'wrong_key', 'unverified']);
  assert.equal(cache.head('k')?.generation, 11n);
  assert.equal(cache.lastRevision('k'), 33n);
});

test('a key of which nothing verifies is no key', () => {
  const { cache } = setup();
  cache.ingest({ name: 'k', revision: 5n, value: new Uint8Array() });
  assert.deepEqual([cache.names(), cache.head('k'), cache.lastRevision('k')], [[], undefined, 5n]);
  cache.clear();
  assert.equal(cache.lastRevision('k'), 0n);
});

test('history is bounded as the bucket bounds it', () => {
  const { cache, ingest } = setup();
  for (let i = 1n; i <= HISTORY + 5; i++) ingest(i, i);
  assert.equal(cache.history('k').length, HISTORY);
  assert.equal(cache.history('k')[0]?.generation, 6n);
});

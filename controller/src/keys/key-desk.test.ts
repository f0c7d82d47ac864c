import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Control, NO_CONTROL } from '#common/control/control.ts';
import { sealDesired } from '#common/envelope.ts';
import { SkeinError } from '#common/errors.ts';
import { generateSeed, signerFromSeed, verifierFromPublic } from '#common/nkey.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { desired } from '../testing/desired.ts';
import type { KeyOwner } from './admission.ts';
import { KeyCache } from './key-cache.ts';
import { KeyDesk, type MutationRequest } from './key-desk.ts';
import type { KeyEntry, KeyStore } from './key-store.ts';
import type { Mutation } from './mutation.ts';

const signer = signerFromSeed(generateSeed());
const SET: Mutation = { action: 'set', name: 'k', value: true, selector: '' };
const REQUEST: MutationRequest = {
  actor: 'alice',
  reason: '',
  requestId: '',
  etag: '',
  validateOnly: false,
};

/** A bucket that others write to without the cache hearing of it, as between two deliveries of the watch. */
function setup() {
  const entries: KeyEntry[] = [];
  let sequence = 0n;
  const last = () => entries.at(-1)?.revision ?? 0n;
  const write = (value: Uint8Array) => {
    sequence += 10n;
    entries.push({ name: 'k', revision: sequence, value });
    return sequence;
  };
  const hooks = { beforePut: () => {}, afterPut: () => {} };
  const store: KeyStore = {
    async put(_, value, previousRevision) {
      hooks.beforePut();
      if (previousRevision !== last()) return { kind: 'conflict' };
      const revision = write(value);
      hooks.afterPut();
      return { kind: 'stored', revision };
    },
    read: async () => [...entries],
  };
  const cache = new KeyCache(verifierFromPublic(signer.publicKey), () => {});
  const audited: bigint[] = [];
  const world: { control: Control; stored: Control; owner: KeyOwner | undefined } = {
    control: NO_CONTROL,
    stored: NO_CONTROL,
    owner: undefined,
  };
  const desk = new KeyDesk({
    cache,
    store,
    signer,
    clock: new ManualClock(),
    hosts: () => [],
    admission: {
      control: {
        current: () => world.control,
        async refresh() {
          world.control = world.stored;
        },
      },
      ownerOf: () => world.owner,
      approvals: [],
    },
    audit: async (_, next) => void audited.push(next.generation),
  });
  /** Another controller, with the same signing key, writes. */
  const other = (defaultValue: boolean) => {
    const generation = last() + 1n;
    write(sealDesired(desired({ name: 'k', generation, defaultValue }), signer));
    return generation;
  };
  return { desk, cache, entries, hooks, audited, other, world };
}

test('a refusal is made on what the bucket says, not on what was heard so far', async () => {
  const { desk, other } = setup();
  const generation = other(false);
  const made = await desk.mutate(SET, { ...REQUEST, etag: String(generation) });
  assert.equal(made.generation, 11n);
  other(false);
  await assert.rejects(desk.mutate(SET, { ...REQUEST, etag: '11' }), { code: 'SKEIN_CONFLICT' });
});

test('a lost race is decided anew on what won it', async () => {
  const { desk, hooks, other, audited } = setup();
  other(false);
  hooks.beforePut = () => {
    other(true);
    hooks.beforePut = () => {};
  };
  const made = await desk.mutate({ ...SET, selector: 'a=b' }, REQUEST);
  assert.deepEqual([made.generation, made.defaultValue, made.rules.length], [21n, true, 1]);
  assert.deepEqual(audited, [21n]);
});

test('who loses every race is told', async () => {
  const { desk, hooks, other, entries } = setup();
  other(false);
  await desk.mutate(SET, { ...REQUEST, validateOnly: true });
  hooks.beforePut = () => void other(true);
  await assert.rejects(desk.mutate(SET, REQUEST), { code: 'SKEIN_CONFLICT', message: /8 times/ });
  assert.equal(entries.length, 9);
});

test('a write that was stored but not confirmed is found by its request id', async () => {
  const { desk, hooks, other, entries } = setup();
  other(false);
  hooks.afterPut = () => {
    throw new SkeinError('SKEIN_NATS_UNAVAILABLE', 'gone');
  };
  const request = { ...REQUEST, requestId: 'r' };
  await assert.rejects(desk.mutate(SET, request), { code: 'SKEIN_NATS_UNAVAILABLE' });
  const made = await desk.mutate(SET, request);
  assert.equal(made.generation, 11n);
  assert.equal(entries.length, 2);
});

test('a freeze that this controller has not heard of yet holds all the same, and its end as well', async () => {
  const { desk, other, world, entries } = setup();
  other(false);
  const freeze = { actor: 'bob', reason: 'incident', since: new Date(0) };
  world.stored = { ...NO_CONTROL, generation: 1n, freeze };
  await assert.rejects(desk.mutate(SET, REQUEST), {
    code: 'SKEIN_FROZEN',
    message: 'frozen by bob since 1970-01-01T00:00:00.000Z: incident',
  });
  assert.equal(entries.length, 1);
  await desk.mutate({ action: 'kill', name: 'k', value: false, all: false }, REQUEST);
  world.stored = NO_CONTROL;
  await desk.mutate(SET, REQUEST);
});

test('what changes nothing is not written, and asks nobody for leave', async () => {
  const { desk, other, world, entries, audited } = setup();
  const generation = other(true);
  world.owner = { rollout: 'r1', phase: 'planned' };
  const same: Mutation = {
    action: 'apply',
    name: 'k',
    description: '',
    defaultValue: true,
    rules: [],
  };
  assert.equal((await desk.mutate(same, REQUEST)).generation, generation);
  assert.deepEqual([entries.length, audited], [1, []]);
  await assert.rejects(desk.mutate({ ...same, defaultValue: false }, REQUEST), {
    code: 'SKEIN_KEY_OWNED',
    message: 'fleet key "k": rollout r1 (planned) owns it',
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Control } from '#common/control/control.ts';
import { FakeStores, REQUEST } from '../testing/fake-stores.ts';
import { ControlDesk } from './control-desk.ts';

const BOB = { ...REQUEST, actor: 'bob', reason: 'incident' };
const CAROL = { ...REQUEST, actor: 'carol' };

function setup() {
  const stores = new FakeStores();
  const audited: [Control, Control][] = [];
  let enforced = 0;
  const desk = ({ hears = true } = {}) => {
    const controller = stores.controller();
    if (!hears) stores.lose(controller);
    return new ControlDesk({
      cache: controller.control,
      store: stores.controlStore,
      clock: controller.clock,
      audit: async (...change) => void audited.push(change),
      enforceKillAll: async () => void enforced++,
    });
  };
  return {
    stores,
    audited,
    one: desk(),
    two: desk(),
    /** One whose watch trails: it has heard of nothing. */
    late: desk({ hears: false }),
    clock: stores.clock,
    enforced: () => enforced,
  };
}

test('freeze and lift: who, why, since when, and each generation with its note', async () => {
  const { one, two, clock, audited } = setup();
  const frozen = await one.freeze(BOB);
  const since = clock.now();
  assert.deepEqual(frozen, {
    generation: 1n,
    cohorts: [],
    freeze: { actor: 'bob', reason: 'incident', since },
    note: { actor: 'bob', reason: 'incident', requestId: '', time: since, what: 'freeze' },
  });
  const lifted = await two.unfreeze(CAROL);
  assert.deepEqual(lifted, {
    generation: 2n,
    cohorts: [],
    note: { actor: 'carol', reason: '', requestId: '', time: since, what: 'unfreeze' },
  });
  assert.deepEqual(
    audited.map(([, next]) => next),
    [frozen, lifted],
  );
});

test('what makes no sense is refused in one line, and changes nothing', async () => {
  const { one, clock, stores } = setup();
  const now = clock.now();
  const hour = new Date(now.getTime() + 3_600_000);
  const refuses = (call: Promise<unknown>, code: string, message: string) =>
    assert.rejects(call, { code, message });
  const invalid = 'SKEIN_INVALID_ARGUMENT';
  await refuses(one.unfreeze(BOB), invalid, 'no freeze is in force');
  await refuses(one.reviveAll(BOB), invalid, 'no kill of all keys is in force');
  await refuses(one.freeze(BOB, now), invalid, 'until: 2026-01-01T00:00:00.000Z has passed');
  await refuses(
    one.setCohort(BOB, 'not a name', 'a=b'),
    invalid,
    'name: "not a name" is not a name of a cohort',
  );
  await refuses(one.setCohort(BOB, '', 'a=b'), invalid, 'name: "" is not a name of a cohort');
  await assert.rejects(one.setCohort(BOB, 'c', 'a=('), { code: 'SKEIN_BAD_SELECTOR' });
  await refuses(one.deleteCohort(BOB, 'c'), 'SKEIN_COHORT_NOT_FOUND', 'cohort "c"');
  assert.equal(stores.controlEntries.length, 0);

  await one.killAll(BOB, false);
  await one.freeze(BOB, hour);
  const standing = `frozen by bob since ${now.toISOString()} until ${hour.toISOString()}: incident`;
  await refuses(one.freeze(CAROL), 'SKEIN_FROZEN', `already ${standing}`);
  await refuses(one.reviveAll(BOB), 'SKEIN_FROZEN', standing);
  assert.equal(stores.controlEntries.length, 2);
});

test('validate_only checks everything, writes nothing and kills nothing', async () => {
  const { one, stores, audited, enforced } = setup();
  const only = { ...BOB, validateOnly: true };
  assert.equal((await one.freeze(only)).freeze?.actor, 'bob');
  assert.equal((await one.killAll(only, false)).killAll?.value, false);
  assert.deepEqual((await one.setCohort(only, 'c', 'a')).cohorts, [{ name: 'c', selector: 'a' }]);
  await assert.rejects(one.unfreeze(only), { message: 'no freeze is in force' });
  await assert.rejects(one.reviveAll(only), { message: 'no kill of all keys is in force' });
  await assert.rejects(one.deleteCohort(only, 'c'), { code: 'SKEIN_COHORT_NOT_FOUND' });
  assert.deepEqual([stores.controlEntries.length, audited.length, enforced()], [0, 0, 0]);
});

test('a retried request is carried out once, on any controller; its id cannot be used for another', async () => {
  const { one, two, stores, clock } = setup();
  const until = new Date(clock.now().getTime() + 1_000);
  const request = { ...BOB, requestId: 'r1' };
  const frozen = await one.freeze(request, until);
  assert.deepEqual(await two.freeze(request, until), frozen);
  await one.unfreeze(CAROL);
  assert.deepEqual(await one.freeze(request, until), frozen, 'not frozen again');
  const killed = await one.killAll({ ...BOB, requestId: 'r2' }, false);
  assert.deepEqual(await one.killAll({ ...BOB, requestId: 'r2' }, false), killed);
  const set = await one.setCohort({ ...BOB, requestId: 'r3' }, 'c', 'a == b');
  assert.deepEqual(await one.setCohort({ ...BOB, requestId: 'r3' }, 'c', 'a=b'), set);
  assert.equal(stores.controlEntries.length, 4);
  const others = [
    one.freeze(request),
    one.freeze({ ...request, actor: 'carol' }, until),
    one.freeze({ ...request, reason: 'other' }, until),
    one.unfreeze(request),
    one.killAll({ ...BOB, requestId: 'r2' }, true),
    one.setCohort({ ...BOB, requestId: 'r3' }, 'c', 'x'),
    one.setCohort({ ...BOB, requestId: 'r3' }, 'd', 'a=b'),
  ];
  for (const other of others) {
    const message =
      /^request_id: "r\d" made generation \d of the control record with other content/;
    await assert.rejects(other, { code: 'SKEIN_INVALID_ARGUMENT', message });
  }
});

test('a retried request that others wrote after is known as well to who has heard of neither', async () => {
  const { one, late, stores } = setup();
  const request = { ...BOB, requestId: 'r1' };
  const frozen = await one.freeze(request);
  await one.unfreeze(CAROL);
  assert.deepEqual(await late.freeze(request), frozen);
  assert.equal(stores.controlEntries.length, 2, 'not frozen again');
});

test('a request that changes nothing leaves no trace: its id is as good as new', async () => {
  const { one, stores } = setup();
  await one.killAll(BOB, false);
  const request = { ...BOB, requestId: 'r1' };
  await one.killAll(request, false);
  assert.equal(stores.controlEntries.length, 1);
  await one.reviveAll(CAROL);
  assert.equal((await one.killAll(request, false)).generation, 3n);
});

test('a freeze that has ended by itself is none: it can be set again, not lifted', async () => {
  const { one, clock } = setup();
  await one.freeze(BOB, new Date(clock.now().getTime() + 1_000));
  clock.advance(1_000);
  await assert.rejects(one.unfreeze(BOB), { code: 'SKEIN_INVALID_ARGUMENT' });
  const again = await one.freeze(CAROL);
  assert.equal(again.freeze?.actor, 'carol');
});

test('cohorts: in order of names, normalised, changed and deleted, also while all is frozen', async () => {
  const { one, two, stores } = setup();
  await one.freeze(BOB);
  await one.setCohort(BOB, 'late', 'zone in (b, a)');
  const both = await two.setCohort(BOB, 'canary', 'canary');
  assert.deepEqual(both.cohorts, [
    { name: 'canary', selector: 'canary' },
    { name: 'late', selector: 'zone in (a,b)' },
  ]);
  assert.equal((await one.setCohort(BOB, 'late', 'zone in (a,b)')).generation, both.generation);
  assert.equal(stores.controlEntries.length, 3);
  const less = await one.deleteCohort(BOB, 'canary');
  assert.deepEqual(
    less.cohorts.map(({ name }) => name),
    ['late'],
  );
  assert.deepEqual(less.freeze?.actor, 'bob', 'the rest stays');
});

test('who loses a race decides anew on what won it; who loses every race is told', async () => {
  const { one, two, stores } = setup();
  const { put } = stores.controlStore;
  let races = 1;
  stores.controlStore.put = async (control, revision) => {
    const isBob = control.note?.actor === 'bob';
    if (isBob && races-- > 0) await two.setCohort(CAROL, `c${races}`, `n=${races}`);
    return put(control, revision);
  };
  const frozen = await one.freeze(BOB);
  assert.deepEqual(
    frozen.cohorts.map(({ name }) => name),
    ['c0'],
  );
  races = 99;
  await assert.rejects(one.unfreeze(BOB), { code: 'SKEIN_CONFLICT', message: /8 times/ });
});

test('a revision that somebody removed from the bucket is named as the reason for the refusal', async () => {
  const { one, two, stores } = setup();
  await one.freeze(BOB);
  stores.controlStore.put = async () => ({ kind: 'conflict', value: new Uint8Array() });
  const refusal = {
    code: 'SKEIN_STORE_REFUSED',
    message: 'control record: revision 1 is no longer in the bucket',
  };
  await assert.rejects(one.unfreeze(BOB), refusal);
  await assert.rejects(two.killAll(BOB, false), refusal);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Control } from '#common/control/control.ts';
import { FakeStores } from '../testing/fake-stores.ts';
import { ControlDesk } from './control-desk.ts';

const BOB = { actor: 'bob', reason: 'incident' };
const CAROL = { actor: 'carol', reason: '' };

function setup() {
  const stores = new FakeStores();
  const audited: [Control, Control][] = [];
  const desk = () => {
    const { control: cache, clock } = stores.controller();
    return new ControlDesk({
      cache,
      store: stores.controlStore,
      clock,
      audit: async (...change) => void audited.push(change),
      enforceKillAll: async () => {},
    });
  };
  return { stores, audited, one: desk(), two: desk(), clock: stores.clock };
}

test('freeze and lift: who, why, since when, and each generation with its note', async () => {
  const { one, two, clock, audited } = setup();
  const frozen = await one.freeze(BOB);
  const since = clock.now();
  assert.deepEqual(frozen, {
    generation: 1n,
    cohorts: [],
    freeze: { ...BOB, since },
    note: { ...BOB, time: since, what: 'freeze' },
  });
  const lifted = await two.unfreeze(CAROL);
  assert.deepEqual(lifted, {
    generation: 2n,
    cohorts: [],
    note: { ...CAROL, time: since, what: 'unfreeze' },
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

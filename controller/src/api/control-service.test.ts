import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { sealPayload } from '#common/envelope.ts';
import { generateSeed, signerFromSeed } from '#common/nkey.ts';
import { Control } from '#proto/gen/skein/v1/control.ts';
import { Action } from '#proto/gen/skein/v1/desired.ts';
import { CONTROL_BUCKET, CONTROL_KEY, CONTROL_SIGNATURE_CONTEXT } from '#proto/subjects.ts';
import { until } from '../../../test/support/until.ts';
import { Harness } from '../testing/harness.ts';
import type { TestClient } from '../testing/test-client.ts';

let harness: Harness;
let one: TestClient;
let two: TestClient;
before(async () => {
  harness = await Harness.start();
  one = harness.client(await harness.controller());
  two = harness.client(await harness.controller());
});
after(() => harness[Symbol.asyncDispose]());

afterEach(async () => {
  const { freeze, killAll } = await one.getControl();
  if (freeze) await one.unfreeze();
  if (killAll) await one.reviveAll();
});

test('a freeze set on one controller holds on the other at once, and so does its end', async () => {
  await one.create('frozen');
  await one.kill('frozen', true);
  for (let round = 0; round < 5; round++) {
    const { freeze } = await one.freeze('incident 12');
    assert.deepEqual([freeze?.actor, freeze?.reason], ['alice', 'incident 12']);
    const refused = { code: 'SKEIN_FROZEN', message: /^frozen by alice since .*: incident 12$/ };
    await assert.rejects(two.set('frozen', true), refused);
    await assert.rejects(two.create(`new.${round}`), refused);
    await assert.rejects(two.apply('frozen', { description: 'other' }), refused);
    await assert.rejects(two.set('frozen', true, { validateOnly: true }), refused);
    await assert.rejects(two.delete('frozen'), refused);
    await assert.rejects(two.revive('frozen'), refused);
    await assert.rejects(two.freeze(), { code: 'SKEIN_FROZEN', message: /^already frozen by/ });
    await two.kill('frozen', round % 2 === 0);
    await two.unfreeze();
    await one.set('frozen', round % 2 === 0);
  }
  assert.equal((await one.get('frozen')).desired?.kill, true);
  await one.revive('frozen');
});

test('all are killed on every controller, made killed, and revived but for those killed by themselves', async () => {
  const names = Array.from({ length: 50 }, (_, i) => `fleet.k${i}`);
  await Promise.all(names.map((name) => one.create(name, { defaultValue: true })));
  const ruled = await one.set('fleet.k3', true, { selector: 'a=b' });
  await one.kill('fleet.k7', true, { reason: 'its own' });
  await two.killAll(false, 'meltdown');
  const kills = async (client: TestClient) =>
    new Set((await client.list()).map(({ desired }) => desired?.kill));
  assert.deepEqual(await kills(two), new Set([false]));
  const made = await one.apply('fleet.made', { defaultValue: true });
  assert.equal(made.desired?.kill, false);
  const against = { code: 'SKEIN_KEY_KILLED', message: /alice has killed all keys off since/ };
  await assert.rejects(one.revive('fleet.k1'), against);
  await assert.rejects(one.kill('fleet.k1', true), against);
  await one.set('fleet.k1', false);

  await one.reviveAll('over');
  const left = (await one.list()).filter(({ desired }) => desired?.kill !== undefined);
  const killed = left.map(({ desired }) => desired?.name);
  assert.deepEqual(killed, ['fleet.k7']);
  const { desired } = await one.get('fleet.k3');
  assert.deepEqual(desired?.rules, ruled.desired?.rules);
  await two.revive('fleet.k7');
  const [revival] = await two.history('fleet.k3', 1);
  assert.deepEqual(
    [revival?.change?.action, revival?.change?.actor, revival?.change?.reason],
    [Action.REVIVE, 'alice', 'over'],
  );
});

test('the audit log shows changes of keys and of the whole fleet, newest first', async () => {
  await one.create('logged');
  await one.freeze('why', new Date(Date.now() + 3_600_000));
  await two.unfreeze();
  await one.kill('logged', true);
  const records = await two.auditList({ limit: 4 });
  assert.deepEqual(
    records.map(({ what }) =>
      what?.$case === 'control' ? what.value.new?.note?.what : what?.$case,
    ),
    ['key', 'unfreeze', 'freeze', 'key'],
  );
  const ofKey = await two.auditList({ key: 'logged' });
  assert.deepEqual(
    ofKey.map(({ what }) => what?.$case),
    ['key', 'key'],
  );
  const [unfreeze] = records.flatMap(({ what }) => (what?.$case === 'control' ? [what.value] : []));
  assert.equal(unfreeze?.old?.freeze?.reason, 'why');
  assert.equal(unfreeze?.new?.freeze, undefined);
});

test('a kill of all keys that a controller did not live to carry out is carried out by the next', async () => {
  await using own = await Harness.start();
  const first = await own.controller();
  const client = own.client(first);
  await client.create('left.over', { defaultValue: true });
  await first.stop();
  // What a controller leaves that dies after its first write.
  const bucket = await own.nc.jetstream().views.kv(CONTROL_BUCKET);
  const now = new Date();
  const by = { actor: 'bob', reason: 'incident' };
  const payload = Control.encode({
    generation: 1n,
    freeze: undefined,
    killAll: { ...by, value: false, since: now },
    cohorts: [],
    note: { ...by, time: now, what: 'kill all off', requestId: '' },
  }).finish();
  await bucket.put(CONTROL_KEY, sealPayload(payload, CONTROL_SIGNATURE_CONTEXT, own.signer));
  const next = own.client(await own.controller());
  await until('killed', async () => (await next.get('left.over')).desired?.kill === false);
  const [kill] = await next.history('left.over', 1);
  assert.equal(kill?.change?.actor, 'bob');
  const records = await next.auditList();
  const [control] = records.flatMap(({ what }) => (what?.$case === 'control' ? [what.value] : []));
  assert.equal(control?.new?.note?.what, 'kill all off', 'its audit record was made up for');

  const stranger = signerFromSeed(generateSeed());
  await bucket.put(CONTROL_KEY, sealPayload(payload, CONTROL_SIGNATURE_CONTEXT, stranger));
  await bucket.put(CONTROL_KEY, 'nonsense');
  await next.freeze();
  assert.equal(
    (await next.getControl()).killAll?.actor,
    'bob',
    'what is not signed is not believed',
  );
});

test('validate_only leaves the fleet as it is; a request that is sent twice is carried out once', async () => {
  await one.create('spared', { defaultValue: true });
  const before = await one.getControl();
  const only = { validateOnly: true };
  assert.equal((await one.freeze('why', undefined, only)).freeze?.reason, 'why');
  assert.equal((await one.killAll(false, '', only)).killAll?.value, false);
  assert.equal((await one.setCohort('c', 'a', '', only)).cohorts.length, 1);
  assert.deepEqual(await two.getControl(), before);
  assert.equal((await one.get('spared')).desired?.kill, undefined);

  const once = { requestId: 'sent-twice' };
  const frozen = await one.freeze('why', undefined, once);
  assert.deepEqual(await two.freeze('why', undefined, once), frozen);
  const long = { requestId: 'x'.repeat(129) };
  await assert.rejects(one.unfreeze('', long), { message: /^request_id: longer than 128/ });
});

test('cohorts, and what is refused', async () => {
  await one.setCohort('canary', 'zone in (b, a)');
  const { cohorts } = await two.setCohort('late', '');
  assert.deepEqual(cohorts, [
    { name: 'canary', selector: 'zone in (a,b)' },
    { name: 'late', selector: '' },
  ]);
  await one.deleteCohort('late');
  const refused: [() => Promise<unknown>, string, RegExp][] = [
    [() => one.deleteCohort('late'), 'SKEIN_COHORT_NOT_FOUND', /"late"/],
    [() => one.setCohort('-', 'a'), 'SKEIN_INVALID_ARGUMENT', /^name: "-"/],
    [() => one.setCohort('c', '(('), 'SKEIN_BAD_SELECTOR', /column 1/],
    [() => one.setCohort('c', 'a'.repeat(3_000)), 'SKEIN_INVALID_ARGUMENT', /^selector/],
    [() => one.freeze('x'.repeat(1_025)), 'SKEIN_INVALID_ARGUMENT', /^reason/],
    [() => one.freeze('', new Date(0)), 'SKEIN_INVALID_ARGUMENT', /^until: 1970.* has passed$/],
    [() => one.unfreeze(), 'SKEIN_INVALID_ARGUMENT', /^no freeze/],
    [() => one.reviveAll(), 'SKEIN_INVALID_ARGUMENT', /^no kill of all keys/],
  ];
  for (const [call, code, message] of refused) await assert.rejects(call(), { code, message });
});

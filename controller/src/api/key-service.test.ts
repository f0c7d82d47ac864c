import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Action } from '#proto/gen/skein/v1/desired.ts';
import { HostPhase } from '#proto/gen/skein/v1/keys.ts';
import { until } from '../../../test/support/until.ts';
import { FakeHost } from '../testing/fake-host.ts';
import { Harness } from '../testing/harness.ts';
import type { TestClient } from '../testing/test-client.ts';

let harness: Harness;
let client: TestClient;
before(async () => {
  harness = await Harness.start();
  client = harness.client(await harness.controller());
});
after(() => harness[Symbol.asyncDispose]());

const fails = (call: Promise<unknown>, code: string, message?: RegExp) =>
  assert.rejects(call, (error: Error) => {
    assert.equal(Reflect.get(error, 'code'), code, error.message);
    if (message) assert.match(error.message, message);
    return true;
  });

test('create, get, list, set, delete, history and audit of one key', async () => {
  const created = await client.create('life.cycle', {
    description: 'whole life',
    reason: 'new',
    requestId: 'r1',
  });
  assert.equal(created.desired?.change?.actor, 'alice');
  assert.equal(created.etag, String(created.desired?.generation));
  assert.deepEqual((await client.get('life.cycle')).desired, created.desired);

  const on = await client.set('life.cycle', true, { reason: 'go' });
  assert.ok((on.desired?.generation ?? 0n) > (created.desired?.generation ?? 0n));
  assert.equal(on.desired?.defaultValue, true);
  assert.equal(on.desired?.description, 'whole life');
  const ruled = await client.set('life.cycle', false, { selector: 'zone == a' });
  assert.deepEqual(ruled.desired?.rules, [
    { selector: 'zone=a', value: false, portion: undefined, rollout: undefined },
  ]);

  const deleted = await client.delete('life.cycle', { etag: ruled.etag });
  assert.equal(deleted.desired?.deleted, true);
  await fails(client.get('life.cycle'), 'SKEIN_KEY_NOT_FOUND', /life\.cycle/);
  const names = async (all: boolean) =>
    (await client.list(all)).map(({ desired }) => desired?.name);
  assert.ok(!(await names(false)).includes('life.cycle'));
  assert.ok((await names(true)).includes('life.cycle'));

  const again = await client.create('life.cycle', { defaultValue: true });
  assert.ok((again.desired?.generation ?? 0n) > (deleted.desired?.generation ?? 0n));
  assert.deepEqual(again.desired?.rules, []);

  const actions = (await client.history('life.cycle')).map(({ change }) => change?.action);
  assert.deepEqual(actions, [Action.CREATE, Action.DELETE, Action.SET, Action.SET, Action.CREATE]);
  assert.equal((await client.history('life.cycle', 2)).length, 2);
  const audited = await client.auditedKey('life.cycle');
  assert.deepEqual(
    audited.map((record) => record.new?.change?.action),
    actions,
  );
  assert.equal(audited[0]?.old, undefined);
  assert.deepEqual(audited[1]?.old?.generation, ruled.desired?.generation);
  assert.equal(audited[3]?.new?.change?.reason, 'go');
});

test('what a request may not say, each with its code and place', async () => {
  await client.create('refused');
  const cases: [() => Promise<unknown>, string, RegExp][] = [
    [() => client.create('Not A Name'), 'SKEIN_INVALID_ARGUMENT', /^name: "Not A Name"/],
    [() => client.get(''), 'SKEIN_INVALID_ARGUMENT', /^name: ""/],
    [() => client.set('no.such', true), 'SKEIN_KEY_NOT_FOUND', /"no\.such"/],
    [() => client.delete('no.such'), 'SKEIN_KEY_NOT_FOUND', /"no\.such"/],
    [() => client.history('no.such'), 'SKEIN_KEY_NOT_FOUND', /"no\.such"/],
    [() => client.create('refused'), 'SKEIN_KEY_EXISTS', /"refused"/],
    [() => client.set('refused', true, { selector: 'a=(' }), 'SKEIN_BAD_SELECTOR', /column 3/],
    [() => client.set('refused', true, { percent: 101 }), 'SKEIN_INVALID_ARGUMENT', /^percent/],
    [() => client.set('refused', true, { percent: -1 }), 'SKEIN_INVALID_ARGUMENT', /^percent/],
    [() => client.set('refused', true, { percent: NaN }), 'SKEIN_INVALID_ARGUMENT', /^percent/],
    [() => client.set('refused', true, { etag: '999' }), 'SKEIN_CONFLICT', /"refused".*"999"/],
    [() => client.delete('refused', { etag: 'x' }), 'SKEIN_CONFLICT', /"x"/],
    [
      () => client.set('refused', true, { reason: 'x'.repeat(1025) }),
      'SKEIN_INVALID_ARGUMENT',
      /^reason/,
    ],
    [
      () => client.set('refused', true, { requestId: 'x'.repeat(129) }),
      'SKEIN_INVALID_ARGUMENT',
      /^request_id/,
    ],
    [() => client.host('UPPER'), 'SKEIN_INVALID_ARGUMENT', /"UPPER"/],
    [() => client.host('nobody'), 'SKEIN_HOST_NOT_FOUND', /"nobody"/],
    [() => client.hosts('a in b'), 'SKEIN_BAD_SELECTOR', /column/],
    [() => client.auditList({ limit: 1001 }), 'SKEIN_INVALID_ARGUMENT', /^limit/],
    [() => client.auditList({ key: '>' }), 'SKEIN_INVALID_ARGUMENT', /^key/],
  ];
  for (const [call, code, message] of cases) await fails(call(), code, message);
  assert.equal((await client.history('refused')).length, 1, 'nothing was written');
});

test('without a valid token nothing is answered', async () => {
  const controller = await harness.controller();
  for (const token of [null, 'wrong', '']) {
    await fails(harness.client(controller, token).list(), 'SKEIN_UNAUTHENTICATED');
  }
});

test('validate_only writes nothing and says what would be written', async () => {
  const planned = await client.create('planned', { validateOnly: true });
  assert.equal(planned.etag, '');
  assert.ok(planned.desired?.generation);
  await fails(client.get('planned'), 'SKEIN_KEY_NOT_FOUND');
  const created = await client.create('planned');
  const would = await client.set('planned', true, { validateOnly: true, selector: 'a=b' });
  assert.equal(would.desired?.rules[0]?.selector, 'a=b');
  assert.equal(would.etag, created.etag);
  assert.deepEqual((await client.get('planned')).desired?.rules, []);
  assert.equal((await client.auditList({ key: 'planned' })).length, 1);
});

test('a retried request is carried out once; its id cannot be used for another', async () => {
  await client.create('retried');
  const first = await client.set('retried', true, { requestId: 'once', selector: 'a=b' });
  await client.set('retried', false);
  const second = await client.set('retried', true, { requestId: 'once', selector: 'a in (b)' });
  assert.deepEqual(second.desired, first.desired);
  assert.equal((await client.history('retried')).length, 3);
  for (const more of [{ selector: 'a=c' }, { selector: 'a=b', percent: 5 }, {}]) {
    await fails(
      client.set('retried', true, { requestId: 'once', ...more }),
      'SKEIN_INVALID_ARGUMENT',
      /^request_id: "once"/,
    );
  }
  await fails(client.delete('retried', { requestId: 'once' }), 'SKEIN_INVALID_ARGUMENT');
});

test('of two writers with one etag one wins and the other is told', async () => {
  const { etag } = await client.create('raced');
  const other = harness.client(await harness.controller());
  await until('the other controller sees it', () => other.get('raced').catch(() => undefined));
  const results = await Promise.allSettled([
    client.set('raced', true, { etag, reason: 'one' }),
    other.set('raced', true, { etag, reason: 'two' }),
  ]);
  const codes = results.map((r) => (r.status === 'rejected' ? r.reason.code : 'won')).sort();
  assert.deepEqual(codes, ['SKEIN_CONFLICT', 'won']);
});

test('an etag of a key that is not there is stale', async () => {
  await fails(client.apply('never.was', { etag: '7' }), 'SKEIN_CONFLICT', /etag "7" is stale/);
});

test('many writers without an etag over two controllers: every write makes its own generation', async () => {
  await client.create('crowded');
  const other = harness.client(await harness.controller());
  const writes = Array.from({ length: 10 }, (_, i) =>
    (i % 2 ? client : other).set('crowded', i % 2 === 0, { requestId: `w${i}` }),
  );
  const generations = (await Promise.all(writes)).map(({ desired }) => desired?.generation);
  assert.equal(new Set(generations).size, 10);
  await until('both see all', async () => (await client.history('crowded')).length === 11);
  await until('audited', async () => (await client.auditList({ key: 'crowded' })).length === 11);
});

test('progress follows what hosts observe; a percentage is of the hosts that bind the key', async () => {
  await client.create('rolled');
  const hosts = Array.from(
    { length: 10 },
    (_, i) => new FakeHost(harness.nc, `h${i}.example`, { zone: i < 5 ? 'a' : 'b' }, ['rolled']),
  );
  const stranger = new FakeHost(harness.nc, 'unbound', { zone: 'a' }, []);
  for (const host of [...hosts, stranger]) host.heartbeat();
  await until('all reported', async () => (await client.hosts()).length === 11);

  const { desired, progress } = await client.set('rolled', true, {
    percent: 40,
    selector: 'zone=a',
  });
  const taken = progress?.hosts.filter(({ desiredValue }) => desiredValue).map(({ host }) => host);
  assert.equal(taken?.length, 2);
  assert.deepEqual(
    new Set(progress?.hosts.map(({ phase }) => phase)),
    new Set([HostPhase.PENDING]),
  );

  const wider = await client.set('rolled', true, { percent: 80, selector: 'zone=a' });
  const now = wider.progress?.hosts.filter((h) => h.desiredValue).map(({ host }) => host);
  assert.equal(now?.length, 4);
  for (const host of taken ?? []) assert.ok(now?.includes(host), `${host} was evicted`);
  assert.equal(wider.desired?.rules.length, 1);
  assert.ok(desired);

  const generation = wider.desired?.generation ?? 0n;
  const isIn = (host: FakeHost) => now?.includes(host.name) === true;
  const [broken, liar, ...honest] = hosts;
  assert.ok(broken && liar);
  for (const host of honest) host.ack('rolled', generation, isIn(host));
  broken.ack('rolled', generation, isIn(broken), {
    outcome: 'failed',
    error: { code: 'SKEIN_READBACK_MISMATCH', message: 'no' },
  });
  liar.ack('rolled', generation, !isIn(liar));
  const phases = await until('acks arrive', async () => {
    const key = await client.get('rolled');
    const found = key.progress?.hosts ?? [];
    const newest = found.every(({ observation }) => observation?.generation === generation);
    return newest ? new Map(found.map((h) => [h.host, h.phase])) : undefined;
  });
  for (const host of honest) assert.equal(phases.get(host.name), HostPhase.APPLIED);
  assert.equal(phases.get(broken.name), HostPhase.FAILED);
  assert.equal(phases.get(liar.name), HostPhase.PENDING);
  assert.ok(!phases.has('unbound'));

  const listed = async (withoutProgress: boolean) => {
    const page = await client.listPage({ includeDeleted: false, pageToken: '', withoutProgress });
    return page.keys.find((key) => key.desired?.name === 'rolled');
  };
  assert.equal((await listed(false))?.progress?.hosts.length, hosts.length);
  const { progress: _, ...rest } = (await listed(false)) ?? {};
  assert.deepEqual(await listed(true), { ...rest, progress: undefined });
});

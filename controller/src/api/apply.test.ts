import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Action } from '#proto/gen/skein/v1/desired.ts';
import { Harness } from '../testing/harness.ts';
import type { TestClient } from '../testing/test-client.ts';

let harness: Harness;
let client: TestClient;
before(async () => {
  harness = await Harness.start();
  const approvals = '[{ keys: ["safe.*"], required: 1 }]';
  client = harness.client(await harness.controller({ approvals }));
});
after(() => harness[Symbol.asyncDispose]());

const percent = undefined;
const rules = [
  { selector: 'zone in (b, a)', value: true, percent },
  { selector: '', value: true, percent: 10 },
];

test('apply makes a key, leaves it alone when it is so, and changes what differs', async () => {
  const would = await client.apply('declared', { rules, validateOnly: true });
  assert.equal(would.etag, '');
  const made = await client.apply('declared', { rules, description: 'd', requestId: 'r1' });
  assert.deepEqual(
    made.desired?.rules.map(({ selector }) => selector),
    ['zone in (a,b)', ''],
  );
  assert.equal(made.desired?.change?.action, Action.APPLY);
  const again = await client.apply('declared', { rules, description: 'd' });
  assert.equal(again.etag, made.etag);
  const retried = await client.apply('declared', { rules, description: 'd', requestId: 'r1' });
  assert.equal(retried.etag, made.etag);
  const changed = await client.apply('declared', { rules, description: 'e', etag: made.etag });
  assert.notEqual(changed.etag, made.etag);
  assert.equal((await client.history('declared')).length, 2);
  assert.equal((await client.auditedKey('declared')).length, 2);
});

test('what a declaration may not say, each with its place', async () => {
  const invalid = 'SKEIN_INVALID_ARGUMENT';
  const cases: [() => Promise<unknown>, string, RegExp][] = [
    [() => client.apply('Not A Name'), invalid, /^name: /],
    [
      () => client.apply('bad', { rules: [{ selector: '((', value: true, percent }] }),
      'SKEIN_BAD_SELECTOR',
      /column 1/,
    ],
    [
      () => client.apply('bad', { rules: [{ selector: '', value: true, percent: 101 }] }),
      invalid,
      /^rules\[0\]\.percent: 101/,
    ],
    [
      () =>
        client.apply('bad', {
          rules: [...rules, { selector: 'zone in (a,b)', value: false, percent }],
        }),
      invalid,
      /^rules\[2\]\.selector: the same as of rules\[0\]$/,
    ],
    [
      () =>
        client.apply('bad', {
          rules: Array.from({ length: 257 }, (_, i) => ({
            selector: `n=${i}`,
            value: true,
            percent,
          })),
        }),
      invalid,
      /^rules: 257 are more than 256$/,
    ],
    [() => client.kill('no.such', true), 'SKEIN_KEY_NOT_FOUND', /"no\.such"/],
    [() => client.revive('no.such'), 'SKEIN_KEY_NOT_FOUND', /"no\.such"/],
  ];
  for (const [call, code, message] of cases) await assert.rejects(call(), { code, message });
  await assert.rejects(client.get('bad'), { code: 'SKEIN_KEY_NOT_FOUND' });
});

test('kill and revive: validated only, retried, and with the rules as they were', async () => {
  const before = await client.apply('switch', { rules, defaultValue: true });
  const would = await client.kill('switch', false, { validateOnly: true });
  assert.deepEqual([would.desired?.kill, would.etag], [false, before.etag]);
  const killed = await client.kill('switch', false, { requestId: 'k1', reason: 'bad' });
  assert.equal(
    (await client.kill('switch', false, { requestId: 'k1', reason: 'bad' })).etag,
    killed.etag,
  );
  assert.equal(killed.desired?.kill, false);
  const revived = await client.revive('switch');
  assert.deepEqual(
    [revived.desired?.kill, revived.desired?.rules],
    [undefined, before.desired?.rules],
  );
  assert.equal((await client.revive('switch')).etag, revived.etag, 'there is nothing to end');
});

test('keys that need approvals change by rollouts only; kill and revive work all the same', async () => {
  await client.create('safe.key');
  const refused = {
    code: 'SKEIN_APPROVAL_REQUIRED',
    message: /changes of safe\.\* need 1 approval$/,
  };
  await assert.rejects(client.set('safe.key', true), refused);
  await assert.rejects(client.apply('safe.key', { defaultValue: true }), refused);
  await assert.rejects(client.delete('safe.key'), refused);
  await client.apply('safe.key');
  await client.kill('safe.key', true);
  await client.revive('safe.key');
});

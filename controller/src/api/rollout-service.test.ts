import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { GATE_DEFAULTS } from '#common/rollout/gate-wire.ts';
import type { RolloutSpec } from '#common/rollout/spec.ts';
import { RolloutPhase } from '#proto/gen/skein/v1/rollout.ts';
import { until } from '../../../test/support/until.ts';
import type { Controller } from '../main.ts';
import { Harness } from '../testing/harness.ts';
import { percent, type RolloutClient } from '../testing/rollout-client.ts';
import type { TestClient } from '../testing/test-client.ts';

let harness: Harness;
let controller: Controller;
let keys: TestClient;
let rollouts: RolloutClient;
before(async () => {
  harness = await Harness.start();
  controller = await harness.controller({
    approvals: '[{ keys: ["guarded.*"], required: 1, validMinutes: 30 }]',
  });
  keys = harness.client(controller);
  rollouts = harness.rollouts(controller);
});
after(() => harness[Symbol.asyncDispose]());

const HOLD = [percent(50, { hold: true }), percent(100)];

test('plan shows what start would do, and changes nothing', async () => {
  const key = 'plan.it';
  await keys.create(key);
  await keys.setCohort('canary', 'host in (plan-0, plan-1)');
  const hosts = [0, 1, 2, 3].map((index) => harness.host(`plan-${index}`, key));
  await Promise.all(hosts.map((host) => host.join()));
  await until('hosts are known', async () => (await keys.get(key)).progress?.hosts.length === 4);
  const before = await keys.get(key);
  const plan = await rollouts.plan({
    key,
    steps: [
      percent(100, { reach: { kind: 'cohort', cohort: 'canary', selector: '' } }),
      percent(100),
    ],
  });
  assert.deepEqual(
    plan.steps.map(({ title, hosts: width, added }) => [title, width, added]),
    [
      ['cohort canary', 2, 2],
      ['100%', 4, 2],
    ],
  );
  assert.equal(plan.spec?.steps[0]?.cohortSelector, 'host in (plan-0,plan-1)');
  assert.equal(plan.eligible, 4);
  assert.equal(plan.approval?.required, 0);
  assert.equal((await keys.get(key)).etag, before.etag);
  assert.deepEqual(await rollouts.list(key, true), []);
});

test('what makes no sense is refused with one clear line, and nothing is made', async () => {
  const key = 'bad.input';
  await keys.create(key);
  await keys.create('guarded.key');
  await keys.create('killed.key');
  await keys.kill('killed.key', false);
  const cases: [Partial<RolloutSpec>, string, RegExp][] = [
    [{ key: 'no.such' }, 'SKEIN_KEY_NOT_FOUND', /"no\.such"/],
    [{ key: 'No Such' }, 'SKEIN_INVALID_ARGUMENT', /^spec\.key: /],
    [{ key: 'killed.key' }, 'SKEIN_KEY_KILLED', /"killed\.key" is killed/],
    [{ steps: [] }, 'SKEIN_BAD_ROLLOUT', /^steps: /],
    [
      { steps: [percent(50), percent(20)] },
      'SKEIN_BAD_ROLLOUT',
      /steps\[1\]\.percent: 20 goes back/,
    ],
    [{ selector: 'a in' }, 'SKEIN_BAD_SELECTOR', /a in/],
    [
      { steps: [percent(1, { reach: { kind: 'cohort', cohort: 'gone', selector: '' } })] },
      'SKEIN_COHORT_NOT_FOUND',
      /steps\[0\]\.cohort: "gone"/,
    ],
    [
      { windows: [{ days: [], from: '25:00', to: '26:00', timeZone: 'UTC' }] },
      'SKEIN_BAD_ROLLOUT',
      /^windows\[0\]/,
    ],
    [{ approvals: 2 }, 'SKEIN_BAD_ROLLOUT', /^approvals: 2 needed, and besides alice only 1 may/],
    [{ steps: [percent(100, { gates: [GATE] })] }, 'SKEIN_PROMETHEUS', /none is configured/],
  ];
  for (const [spec, code, message] of cases) {
    const wrong = { key, ...spec };
    await assert.rejects(rollouts.start(wrong), { code, message }, JSON.stringify(spec));
    if (code === 'SKEIN_KEY_KILLED') continue;
    await assert.rejects(rollouts.plan(wrong), { code, message }, JSON.stringify(spec));
  }
  assert.deepEqual(await rollouts.list('', true), []);
  await assert.rejects(rollouts.get('bad.input'), { code: 'SKEIN_ROLLOUT_NOT_FOUND' });
  await assert.rejects(rollouts.act('pause', 'nobody'), { code: 'SKEIN_ROLLOUT_NOT_FOUND' });
});

test('the policy of the controller asks for approval, whatever the spec says', async () => {
  const { record } = await rollouts.start({ key: 'guarded.key' });
  assert.deepEqual(record.approval, { required: 1, approvers: [], validMs: 1_800_000 });
  await rollouts.abort(record.id, false);
  assert.equal((await rollouts.get(record.id)).record.state.phase, 'aborted');
});

test('a start that is asked for twice is made once', async () => {
  const key = 'ask.twice';
  await keys.create(key);
  const tried = await rollouts.start({ key, steps: HOLD }, { validateOnly: true });
  assert.deepEqual(await rollouts.list(key, true), []);
  assert.equal(tried.record.state.phase, 'planned');
  const request = { requestId: 'r1' };
  const first = await rollouts.start({ key, steps: HOLD, selector: 'a=1' }, request);
  const second = await rollouts.start({ key, steps: HOLD, selector: 'a=1' }, request);
  assert.equal(second.record.id, first.record.id);
  await assert.rejects(rollouts.start({ key }, request), {
    code: 'SKEIN_INVALID_ARGUMENT',
    message: /^request_id: "r1" started rollout ask-twice-/,
  });
  await assert.rejects(rollouts.start({ key }), {
    code: 'SKEIN_KEY_OWNED',
    message: new RegExp(`^fleet key "ask\\.twice": rollout ${first.record.id} \\(\\w+\\) owns it$`),
  });
});

test('of starts on one key at once, on two controllers, exactly one is made', async () => {
  const other = harness.rollouts(await harness.controller());
  for (let round = 0; round < 5; round++) {
    const key = `at.once-${round}`;
    await keys.create(key);
    const starts = [rollouts, other, rollouts, other].map((client) =>
      client.start({ key, steps: HOLD }),
    );
    const results = await Promise.allSettled(starts);
    const made = results.flatMap((result) =>
      result.status === 'fulfilled' ? [result.value.record.id] : [],
    );
    assert.equal(made.length, 1);
    for (const result of results) {
      if (result.status === 'rejected') assert.equal(result.reason.code, 'SKEIN_KEY_OWNED');
    }
    assert.deepEqual(
      (await rollouts.list(key, true)).map(({ record }) => record.id),
      made,
    );
  }
});

test('one that was rolled back is not retried while another owns the key', async () => {
  const key = 'one.owner';
  await keys.create(key);
  const first = await rollouts.start({ key, steps: HOLD });
  await rollouts.abort(first.record.id, true);
  await until('it is over', async () => (await rollouts.list(key)).length === 0);
  const second = await rollouts.start({ key, steps: HOLD });
  await assert.rejects(rollouts.act('retry', first.record.id), {
    code: 'SKEIN_KEY_OWNED',
    message: new RegExp(`rollout ${second.record.id} `),
  });
  assert.equal((await rollouts.get(key)).record.id, second.record.id, 'the key names its owner');
  assert.deepEqual(
    (await rollouts.list(key, true)).map(({ record }) => record.id),
    [second.record.id, first.record.id],
  );
});

test('watch gives the current state, each change, and the end', async () => {
  const key = 'watch.it';
  await keys.create(key);
  const host = harness.host('watched', key);
  await host.join();
  const { record } = await rollouts.start({ key, steps: [percent(100, { hold: true })] });
  const seen: (RolloutPhase | undefined)[] = [];
  let applied = 0;
  const stream = rollouts.service.watch({ id: key }, rollouts.metadata);
  stream.on('data', ({ record: shown, hosts }) => {
    seen.push(shown?.state?.phase);
    applied = Math.max(applied, hosts?.applied ?? 0);
  });
  stream.on('error', () => {});
  await until('held', () => seen.at(-1) === RolloutPhase.PAUSED);
  await rollouts.act('promote', record.id);
  await until('completed', () => seen.at(-1) === RolloutPhase.COMPLETED);
  assert.equal(applied, 1);
  stream.cancel();
  const unknown = rollouts.service.watch({ id: 'un.known' }, rollouts.metadata);
  const failure = await new Promise<Error>((resolve) => unknown.once('error', resolve));
  assert.match(failure.message, /SKEIN_ROLLOUT_NOT_FOUND/);
});

const GATE = {
  name: 'loss',
  source: { kind: 'prometheus', query: 'up', hosts: { kind: 'all' } },
  success: '< 1',
  ...GATE_DEFAULTS,
} as const;

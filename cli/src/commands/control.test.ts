import assert from 'node:assert/strict';
import { test } from 'node:test';
import { controlToWire } from '#common/control/control-wire.ts';
import { desiredToWire } from '#common/desired-wire.ts';
import { transitionToWire } from '#common/rollout/rollout-wire.ts';
import { type Script, startFakeController } from '../testing/fake-controller.ts';
import { memoryScript } from '../testing/memory-controller.ts';
import { rolloutToWire, sampleRollout } from '../testing/rollout-samples.ts';
import { runSkein } from '../testing/run-skein.ts';
import {
  keyToWire,
  sampleControl,
  sampleDesired,
  sampleKey,
  sampleProgress,
} from '../testing/samples.ts';

async function at(script: Script) {
  const controller = await startFakeController(script);
  const run = (...words: string[]) => runSkein(words, { SKEIN_SERVER: controller.address });
  return { run, [Symbol.asyncDispose]: () => controller[Symbol.asyncDispose]() };
}

const KILLED = sampleKey([sampleProgress('web-1')], { kill: false });

test('kill and revive one key, and wait for its hosts', async () => {
  const sent: object[] = [];
  await using setup = await at({
    kill: (request) => {
      sent.push({ name: request.name, value: request.value, reason: request.reason });
      return keyToWire(KILLED);
    },
    revive: () => keyToWire(sampleKey()),
    watch: async function* () {
      yield keyToWire(KILLED);
      await new Promise(() => {});
    },
  });
  const killed = await setup.run('kill', 'net.drop_icmp', '--reason', 'incident');
  assert.equal(killed.stdout, 'net.drop_icmp killed, forced off, generation 7\n');
  const forced = await setup.run('kill', 'net.drop_icmp', '--to', 'on', '--wait');
  assert.equal(forced.code, 0, forced.stderr);
  assert.match(forced.stdout, /forced on, generation 7: 1\/1 host applied/);
  assert.deepEqual(sent, [
    { name: 'net.drop_icmp', value: false, reason: 'incident' },
    { name: 'net.drop_icmp', value: true, reason: '' },
  ]);
  const revived = await setup.run('revive', 'net.drop_icmp', '-o', 'json');
  assert.equal(JSON.parse(revived.stdout).name, 'net.drop_icmp');
});

test('whoever sets a killed key is told that the kill holds', async () => {
  await using setup = await at({
    set: () => keyToWire(KILLED),
    watch: async function* () {
      yield keyToWire(KILLED);
      await new Promise(() => {});
    },
  });
  const set = await setup.run('set', 'net.drop_icmp', 'on');
  assert.equal(set.stdout, 'net.drop_icmp set on, but killed, forced off, generation 7\n');
  const waited = await setup.run('set', 'net.drop_icmp', 'on', '--wait');
  assert.match(waited.stdout, /set on, but killed, forced off, generation 7: 1\/1 host applied/);
});

test('kill --all waits until every key of every live host has said so', async () => {
  const before = sampleKey([sampleProgress('web-1', 'pending')], { name: 'a' });
  const after = sampleKey([sampleProgress('web-1'), sampleProgress('web-2', 'lost')], {
    name: 'a',
    kill: false,
  });
  const stuck = sampleKey([sampleProgress('web-1', 'failed')], { name: 'b', kill: false });
  const script = (...views: (typeof before)[]): Script => ({
    killAll: () => controlToWire(sampleControl()),
    list: () => ({ keys: [keyToWire(before)], nextPageToken: '' }),
    watch: async function* () {
      for (const view of views) yield keyToWire(view);
      await new Promise(() => {});
    },
  });
  const underWay = sampleKey([sampleProgress('web-1', 'pending')], { name: 'a', kill: false });
  await using fine = await at(script(before, underWay, after));
  const { code, stdout } = await fine.run('kill', '--all', '--wait');
  assert.deepEqual([code, stdout], [0, 'every key killed, forced off: 1 key, 1/1 acknowledged\n']);
  await using broken = await at(script(before, stuck, after));
  const failed = await broken.run('kill', '--all', '--wait');
  assert.equal(failed.code, 3);
  assert.match(failed.stderr, /SKEIN_WAIT_FAILED: .* everywhere: b on web-1 failed\. /);
  await using slow = await at(script(before));
  const late = await slow.run('kill', '--all', '--wait', '--timeout', '200ms');
  assert.match(late.stderr, /everywhere: a not killed\. /);
});

test('kill and revive want one key or all of them, said as such', async () => {
  const cases = [
    [['kill'], /give either KEY or --all\. Name the key/],
    [['kill', 'a', '--all'], /give either KEY or --all/],
    [['revive', '--all', '--wait'], /--wait: waits for one key/],
    [['kill', 'a', '--wait', '--validate-only'], /exclude each other/],
    [['kill', 'a', '--to', 'maybe'], /Allowed choices are on, off/],
  ] as const;
  for (const [words, message] of cases) {
    const { code, stderr } = await runSkein(words);
    assert.equal(code, 2);
    assert.match(stderr, message);
  }
});

test('freeze alone freezes; status and lift', async () => {
  const { memory, script } = memoryScript();
  await using setup = await at(script);
  const frozen = await setup.run('freeze', '--reason', 'incident', '--until', '2h');
  assert.match(frozen.stdout, /^frozen until \d{4}-.*Z\n$/);
  assert.equal(memory.control.freeze?.reason, 'incident');
  const status = await setup.run('freeze', 'status');
  assert.match(status.stdout, /^Freeze +in force\n.*by alice\nReason +incident\nUntil .* left\n$/s);
  const json = JSON.parse((await setup.run('freeze', 'status', '-o', 'json')).stdout);
  assert.deepEqual([json.frozen, json.freeze.actor], [true, 'alice']);
  const lift = await setup.run('freeze', 'lift', '--validate-only');
  assert.equal(lift.stdout, 'freeze would be lifted\n');
  assert.notEqual(memory.control.freeze, undefined);
  assert.equal((await setup.run('freeze', 'lift')).stdout, 'freeze lifted\n');
  assert.equal((await setup.run('freeze', 'start')).stdout, 'frozen until lifted\n');
  assert.equal((await setup.run('freeze', '--until', 'later')).code, 2);
});

test('cohorts are set, listed and deleted', async () => {
  const { script } = memoryScript();
  await using setup = await at(script);
  const canary = ['cohort', 'set', 'canary', 'b, a==x', '--reason', 'why'];
  const checked = await setup.run(...canary, '--validate-only');
  assert.equal(checked.stdout, 'cohort canary would be set: a=x,b\n');
  assert.equal((await setup.run('cohort', 'list')).stderr, 'No cohorts.\n');
  const set = await setup.run(...canary);
  assert.equal(set.stdout, 'cohort canary set: a=x,b\n');
  assert.match((await setup.run('cohort', 'list')).stdout, /\ncanary +a=x,b\n$/);
  assert.equal((await setup.run('cohort', 'delete', 'canary')).stdout, 'cohort canary deleted\n');
  assert.equal((await setup.run('cohort', 'list')).stderr, 'No cohorts.\n');
  const wrong = await setup.run('cohort', 'set', 'canary', 'a=(');
  assert.deepEqual([wrong.code, /SKEIN_BAD_SELECTOR/.test(wrong.stderr)], [2, true]);
});

test('set --ttl says until when', async () => {
  const asked: number[] = [];
  await using setup = await at({
    set: ({ ttlMs }) => {
      asked.push(ttlMs);
      const at = new Date('2026-03-01T14:00:00Z');
      return keyToWire(sampleKey([], { expiry: { at, defaultValue: false, rules: [] } }));
    },
  });
  const { stdout } = await setup.run('set', 'net.drop_icmp', 'on', '--ttl', '2h');
  assert.equal(stdout, 'net.drop_icmp set on until 2026-03-01T14:00:00Z, generation 7\n');
  assert.deepEqual(asked, [7_200_000]);
  const long = await setup.run('set', 'net.drop_icmp', 'on', '--ttl', '90d');
  assert.match(long.stderr, /--ttl: "90d" is too long/);
});

test('key get and key list show who owns a key', async () => {
  await using setup = await at({
    get: () => keyToWire(sampleKey()),
    list: () => ({ keys: [keyToWire(sampleKey())], nextPageToken: '' }),
    listRollouts: () => ({ rollouts: [rolloutToWire(sampleRollout())] }),
  });
  const get = await setup.run('key', 'get', 'net.drop_icmp');
  assert.match(get.stdout, /\nRollout +ro-1 → on, baking, step 2\/3 25%\n/);
  const list = JSON.parse((await setup.run('key', 'list', '-o', 'json')).stdout);
  assert.deepEqual(list.keys[0].rollout, { id: 'ro-1', phase: 'baking' });
});

test('state tells what the fleet was told then', async () => {
  const asked: { time: Date | undefined; key: string }[] = [];
  await using setup = await at({
    stateAt: (request) => {
      asked.push(request);
      const keys = request.key === 'gone' ? [] : [desiredToWire(sampleDesired())];
      return { keys, control: controlToWire(sampleControl()) };
    },
  });
  const all = await setup.run('state', '--at', '2026-03-01T12:00:00Z');
  assert.match(all.stdout, /^Freeze +none\n\nKEY .*\nnet\.drop_icmp +off +- +7 +5m +alice/);
  assert.deepEqual(asked[0], { time: new Date('2026-03-01T12:00:00Z'), key: '' });
  const one = await setup.run('state', 'net.drop_icmp', '--at', '2h ago', '-o', 'json');
  assert.equal(JSON.parse(one.stdout).keys[0].generation, 7);
  const gone = await setup.run('state', 'gone', '--at', '1h');
  assert.equal(gone.code, 4);
  assert.match(gone.stderr, /SKEIN_KEY_NOT_FOUND: "gone" at /);
  assert.match((await setup.run('state')).stderr, /--at <time>' not specified/);
});

test('audit shows keys, rollouts and fleet-wide changes', async () => {
  const [transition] = sampleRollout().record.transitions;
  assert.ok(transition);
  await using setup = await at({
    audit: () => ({
      records: [
        { what: { $case: 'key', value: { old: undefined, new: desiredToWire(sampleDesired()) } } },
        {
          what: {
            $case: 'rollout',
            value: {
              rollout: 'ro-1',
              key: 'net.drop_icmp',
              transition: transitionToWire(transition),
            },
          },
        },
        {
          what: {
            $case: 'control',
            value: { old: undefined, new: controlToWire(sampleControl()) },
          },
        },
      ],
    }),
  });
  const { stdout } = await setup.run('audit');
  assert.match(stdout, /net\.drop_icmp +set .*\n.* start .* rollout ro-1: .*\n.* \* +control /);
  const { records } = JSON.parse((await setup.run('audit', '-o', 'json')).stdout);
  assert.deepEqual(
    records.map(({ kind }: { kind: string }) => kind),
    ['key', 'rollout', 'control'],
  );
});

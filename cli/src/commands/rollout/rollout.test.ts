import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { SkeinError } from '#common/errors.ts';
import { specFromWire, specToWire } from '#common/rollout/spec-wire.ts';
import type { RolloutSpec } from '#proto/gen/skein/v1/rollout.ts';
import type { RolloutView } from '../../client/rollout-calls.ts';
import { type Script, startFakeController } from '../../testing/fake-controller.ts';
import {
  rolloutToWire,
  sampleGate,
  sampleRollout,
  sampleSpec,
} from '../../testing/rollout-samples.ts';
import { runSkein } from '../../testing/run-skein.ts';

const directory = mkdtempSync(join(tmpdir(), 'skein-rollout-'));
after(() => rmSync(directory, { recursive: true }));

const COMPLETED = sampleRollout({ phase: 'completed', step: 3, gates: [] });
const ROLLED_BACK = sampleRollout({
  phase: 'rolled-back',
  reason: 'gate errors failed',
  gates: [],
});

async function at(script: Script) {
  const controller = await startFakeController(script);
  const run = (words: readonly string[], terminal?: { columns: number; rows: number }) =>
    runSkein(words, { SKEIN_SERVER: controller.address, TERM: 'dumb' }, terminal);
  return { run, [Symbol.asyncDispose]: () => controller[Symbol.asyncDispose]() };
}

/** The views, one after the other; then silence. */
function watching(...views: readonly RolloutView[]): Script['watchRollouts'] {
  return async function* () {
    for (const view of views) {
      yield rolloutToWire(view);
      // Each is to be seen: not coalesced by anybody.
      await new Promise((resolve) => setImmediate(resolve));
    }
    await new Promise(() => {});
  };
}

/** Hands out what Plan and Start were asked for. */
function recording() {
  const specs: RolloutSpec[] = [];
  const script: Script = {
    planRollout: ({ spec = specToWire(sampleSpec()) }) => {
      specs.push(spec);
      return {
        ...{ spec, steps: [], fleet: 1, bound: 1, eligible: 1, changed: 1, warnings: [] },
        ...{ programs: [], shortestMs: 0n },
        approval: { required: 0, approvers: [], validMs: 0 },
      };
    },
    startRollout: ({ spec = specToWire(sampleSpec()) }) => {
      specs.push(spec);
      return rolloutToWire(sampleRollout({}, { spec: specFromWire(spec) }));
    },
  };
  return { specs, script };
}

test('flags say of a rollout what a person would type', async () => {
  const { specs, script } = recording();
  await using setup = await at(script);
  const { code, stderr } = await setup.run([
    ...['rollout', 'plan', 'net.drop_icmp', 'off', '--steps', 'cohort:canary,5,25%,100%'],
    ...['--selector', 'env=prod', '--bake', '10m', '--hold', '--gate', 'rate(x[5m]) < 0.01'],
    ...['--gate', 'host-failures == 0', '--max-unavailable', '10%', '--max-failed', '2'],
    ...['--max-concurrent', '50%', '--deadline', '6h', '--ack-timeout', '1m', '--approvals', '2'],
    ...['--start-at', '2999-01-01T00:00:00Z', '--window', 'mon-fri 09:00-17:00 Europe/Berlin'],
    ...['--on-failure', 'pause', '--description', 'about'],
  ]);
  assert.equal(code, 0, stderr);
  const [wire] = specs;
  assert.ok(wire);
  const spec = specFromWire(wire);
  assert.deepEqual(
    spec.steps.map(({ reach, bakeMs, gates, hold }) => [reach.kind, bakeMs, gates.length, hold]),
    [
      ['cohort', 600_000, 2, true],
      ['hosts', 600_000, 2, true],
      ['percent', 600_000, 2, true],
      ['percent', 600_000, 2, false],
    ],
  );
  const { steps: _, ...rest } = spec;
  assert.deepEqual(rest, {
    key: 'net.drop_icmp',
    value: false,
    selector: 'env=prod',
    limits: {
      maxUnavailable: { kind: 'percent', percent: 10 },
      maxFailed: { kind: 'hosts', hosts: 2 },
      maxConcurrent: { kind: 'percent', percent: 50 },
      deadlineMs: 21_600_000,
      ackTimeoutMs: 60_000,
    },
    startAt: new Date('2999-01-01T00:00:00Z'),
    windows: [
      {
        days: ['mon', 'tue', 'wed', 'thu', 'fri'],
        from: '09:00',
        to: '17:00',
        timeZone: 'Europe/Berlin',
      },
    ],
    approvals: 2,
    description: 'about',
    onFailure: 'pause',
  });
});

test('a file says all of it, and the same with defaults filled in', async () => {
  const { specs, script } = recording();
  await using setup = await at(script);
  const file = join(directory, 'rollout.yaml');
  writeFileSync(
    file,
    `apiVersion: skein/v1
kind: Rollout
spec:
  key: net.drop_icmp
  value: on
  selector: env=prod
  steps:
    - {cohort: canary, hold: true}
    - percent: 25
      bake: 10m
      gates:
        - name: errors
          prometheus: {query: "rate(errors_total[5m])", hosts: compare}
          count: 3
    - {percent: 100}
`,
  );
  const { code, stdout, stderr } = await setup.run(['rollout', 'start', '-f', file]);
  assert.equal(code, 0, stderr);
  assert.equal(stdout, 'ro-1 started: net.drop_icmp → on where env=prod\n');
  assert.deepEqual(specs.map(specFromWire), [sampleSpec()]);
  assert.deepEqual(specFromWire(specToWire(sampleSpec())).steps[1]?.gates, [sampleGate()]);
});

test('a command line that says nothing, or too much, is refused with its flag named', async () => {
  const file = join(directory, 'key.yaml');
  writeFileSync(file, 'apiVersion: skein/v1\nkind: FleetKey\nmetadata: {name: a}\n');
  const cases: readonly (readonly [string, RegExp])[] = [
    ['plan', /KEY, VALUE and --steps are needed, or --file/],
    ['plan a on', /KEY, VALUE and --steps are needed/],
    ['plan a on --steps 5%,x', /--steps: "x" is not an amount of hosts/],
    ['plan a on --steps 5% --bake -5m', /--bake: "-5m" is not a duration/],
    ['plan a on --steps 5% --gate up', /--gate: "up" ends in no condition/],
    ['plan a on --steps 5% --window 9-17', /--window: "9-17" is not a time window/],
    ['plan a on --steps 5% --start-at 2020-01-01T00:00:00Z', /--start-at: .* is over already/],
    ['plan a on --steps 5% --max-failed few', /--max-failed: "few"/],
    [`plan a -f ${file}`, /--file and KEY exclude each other/],
    [`start -f ${file} --max-failed 3`, /--file and --max-failed exclude each other/],
    [`start -f ${file}`, /SKEIN_BAD_MANIFEST: .*key\.yaml: is not one document of kind Rollout/],
    ['start -f /nonexistent', /SKEIN_BAD_MANIFEST: cannot read \/nonexistent/],
  ];
  for (const [line, message] of cases) {
    const finished = await runSkein(['rollout', ...line.split(' ')]);
    assert.equal(finished.code, 2, `${line}: ${finished.stderr}`);
    assert.match(finished.stderr, message, line);
  }
});

test('each action is sent with what it needs, and answered with where the rollout stands', async () => {
  const sent: [string, object][] = [];
  await using setup = await at({
    actOnRollout: (action, request) => {
      sent.push([action, request]);
      return rolloutToWire(sampleRollout());
    },
    abortRollout: (request) => {
      sent.push(['abort', request]);
      return rolloutToWire(sampleRollout({ phase: 'aborted', rollingBack: true, reason: 'why' }));
    },
  });
  const told = await setup.run(['rollout', 'pause', 'ro-1', '--reason', 'why']);
  assert.equal(told.stdout, 'ro-1, net.drop_icmp → on where env=prod: baking, step 2/3 25%\n');
  for (const name of ['resume', 'skip', 'retry', 'approve']) {
    assert.equal((await setup.run(['rollout', name, 'ro-1', '--etag', 'r9'])).code, 0, name);
  }
  await setup.run(['rollout', 'promote', 'ro-1', '--all']);
  const aborted = await setup.run(['rollout', 'abort', 'ro-1', '--reason', 'why']);
  assert.match(aborted.stdout, /: aborted, rolling back, step 2\/3 25% \(why\)\n$/);
  await setup.run(['rollout', 'abort', 'ro-1', '--no-rollback']);
  const empty = { id: 'ro-1', reason: '', etag: '', all: false };
  assert.deepEqual(sent, [
    ['pause', { ...empty, reason: 'why' }],
    ['resume', { ...empty, etag: 'r9' }],
    ['skipStep', { ...empty, etag: 'r9' }],
    ['retry', { ...empty, etag: 'r9' }],
    ['approve', { ...empty, etag: 'r9' }],
    ['promote', { ...empty, all: true }],
    ['abort', { id: 'ro-1', reason: 'why', etag: '', rollback: true }],
    ['abort', { id: 'ro-1', reason: '', etag: '', rollback: false }],
  ]);
});

test('what a rollout refuses ends in one line and an exit code of its own', async () => {
  await using setup = await at({
    startRollout: () => {
      throw new SkeinError('SKEIN_KEY_OWNED', 'net.drop_icmp: rollout ro-1 is baking');
    },
    getRollout: () => {
      throw new SkeinError('SKEIN_ROLLOUT_NOT_FOUND', '"ro-2"');
    },
  });
  const owned = await setup.run(['rollout', 'start', 'net.drop_icmp', 'on', '--steps', '100%']);
  assert.deepEqual([owned.code, owned.stdout], [8, '']);
  assert.match(owned.stderr, /^error: SKEIN_KEY_OWNED: net\.drop_icmp: rollout ro-1 is baking\. /);
  assert.equal((await setup.run(['rollout', 'get', 'ro-2'])).code, 4);
});

test('away from a terminal watch prints a line per change, until it is over', async () => {
  await using setup = await at({
    watchRollouts: watching(sampleRollout(), sampleRollout(), COMPLETED),
  });
  const { code, stdout } = await setup.run(['rollout', 'watch', 'ro-1']);
  assert.equal(code, 0);
  const lines = stdout.split('\n').map((line) => line.slice(8).trim().replace(/ {2,}/g, ' | '));
  assert.deepEqual(lines, [
    'ROLLOUT | PHASE | STEP | HOSTS | GATES | WHY',
    'ro-1 | baking | 2/3 25% | 11/12 (1 unavailable) | errors 0.00213 open',
    'ro-1 | completed | 3/3 | 11/12 (1 unavailable) | -',
    '',
  ]);
  const json = await setup.run(['rollout', 'watch', 'ro-1', '-o', 'json']);
  assert.deepEqual(
    json.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).phase),
    ['baking', 'completed'],
  );
});

test('a rollout that ends otherwise, or not in time, is exit code 3 and says why', async () => {
  const cases = [
    [ROLLED_BACK, [], /ro-1, .*, was rolled-back in step 2\/3 25%: gate errors failed\. /],
    [
      sampleRollout({ phase: 'aborted', reason: 'by alice' }),
      [],
      /was aborted in step 2\/3 25%: by alice\. /,
    ],
    [sampleRollout(), ['--timeout', '300ms'], /is baking in step 2\/3 25% after 300ms\. /],
  ] as const;
  for (const [view, words, message] of cases) {
    await using setup = await at({ watchRollouts: watching(view) });
    const { code, stderr } = await setup.run(['rollout', 'watch', 'ro-1', ...words]);
    assert.equal(code, 3);
    assert.match(stderr, /^error: SKEIN_ROLLOUT_NOT_COMPLETED: [^\n]+\n$/);
    assert.match(stderr, message);
  }
});

test('a roll-back that is under way is waited for', async () => {
  const rollingBack = sampleRollout({ phase: 'aborted', rollingBack: true, reason: 'gate' });
  await using setup = await at({ watchRollouts: watching(rollingBack, ROLLED_BACK) });
  const { code, stdout } = await setup.run(['rollout', 'watch', 'ro-1']);
  assert.equal(code, 3);
  assert.match(stdout, /aborted, rolling back.*\n.*rolled-back/);
});

test('a watch that breaks is taken up again', async () => {
  let opened = 0;
  await using setup = await at({
    watchRollouts: async function* () {
      yield rolloutToWire(opened++ === 0 ? sampleRollout() : COMPLETED);
    },
  });
  const { code, stderr } = await setup.run(['rollout', 'watch', 'ro-1']);
  assert.equal(code, 0);
  assert.match(stderr, /^watch interrupted, trying again: /);
});

test('on a terminal the view is drawn over itself, cut to its size', async () => {
  const failed = sampleRollout({}, { hosts: { failed: 1, failedHosts: ['web-3'] } });
  await using setup = await at({ watchRollouts: watching(sampleRollout(), failed, COMPLETED) });
  const { code, stdout } = await setup.run(['rollout', 'watch', 'ro-1'], { columns: 60, rows: 30 });
  assert.equal(code, 0);
  const frames = stdout.split('\u001b[J').slice(0, -1);
  assert.equal(frames.length, 3);
  const [first = '', second = '', last = ''] = frames.map(stripVTControlCharacters);
  assert.match(first, /Hosts +\[######-\.+\] 11\/12 of 48\n/);
  assert.match(first, /errors +0\.00213 +0\.41 +not higher at 0\.05/);
  assert.match(second, /Failed +web-3\n/);
  assert.match(last, /Phase +completed\n/);
  for (const line of stripVTControlCharacters(stdout).split('\n')) assert.ok(line.length <= 60);
});

test('start --watch follows what it started', async () => {
  const { script } = recording();
  await using setup = await at({ ...script, watchRollouts: watching(sampleRollout(), COMPLETED) });
  const words = ['rollout', 'start', 'net.drop_icmp', 'on', '--steps', '100%', '--watch'];
  const { code, stdout, stderr } = await setup.run(words);
  assert.equal(code, 0);
  assert.match(stderr, /^ro-1 started: net\.drop_icmp → on\n$/);
  assert.match(stdout, /completed/);
});

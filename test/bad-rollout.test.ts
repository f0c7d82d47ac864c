import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { runSkein } from '../cli/src/testing/run-skein.ts';
import type { FollowingHost } from '../controller/src/testing/following-host.ts';
import { Harness, TOKEN, TOKEN_OF_BOB } from '../controller/src/testing/harness.ts';
import { ManualClock } from './support/manual-clock.ts';
import { type PrometheusServer, startPrometheus } from './support/prometheus-server.ts';
import { until } from './support/until.ts';

/** What people get wrong about rollouts: one line with its code each, and nothing has changed. */
const KEY = 'net.drop_icmp';
const GUARDED_KEY = 'app.cache';
const HOSTS = 3;
const MINUTE = 60_000;

const undo = new AsyncDisposableStack();
const clock = new ManualClock(new Date().toISOString());
let harness: Harness;
let prometheus: PrometheusServer;
let hosts: readonly FollowingHost[];
let environment: Readonly<Record<string, string>>;

before(async () => {
  prometheus = await startPrometheus();
  undo.defer(() => prometheus.stop());
  harness = undo.use(await Harness.start());
  const config = {
    prometheus: `{ url: "${prometheus.url}" }`,
    approvals: `[{ keys: [${GUARDED_KEY}], required: 1, validMinutes: 30 }]`,
  };
  const controller = await harness.controller(config, clock);
  for (const [name, token] of Object.entries({ alice: TOKEN, bob: TOKEN_OF_BOB })) {
    writeFileSync(tokenFile(name), token);
  }
  environment = { SKEIN_SERVER: controller.address };
  for (const key of [KEY, GUARDED_KEY]) await run(0, 'key', 'create', key);
  hosts = await harness.hosts(HOSTS, KEY);
  await until('all hosts are known', async () => {
    const { stdout } = await run(0, 'host', 'list', '-o', 'json');
    return JSON.parse(stdout).hosts.length === HOSTS;
  });
  await harness.untilDrives(controller, () => clock.advance(50));
});

after(() => undo.disposeAsync());

test('a rollout that makes no sense is neither planned nor started', async (t) => {
  const cases: readonly [string, number, RegExp, readonly string[]][] = [
    [
      'a percentage that goes backwards',
      2,
      /^SKEIN_BAD_ROLLOUT: steps\[1\]\.percent: 25 goes backwards, steps\[0\] reaches 50\./,
      [KEY, 'on', '--steps', '50%,25%'],
    ],
    [
      'a number of hosts that goes backwards',
      2,
      /^SKEIN_BAD_ROLLOUT: steps\[1\]\.hosts: 1 goes backwards, steps\[0\] reaches 2\./,
      [KEY, 'on', '--steps', '2,1'],
    ],
    [
      'more than all',
      2,
      /^SKEIN_INVALID_ARGUMENT: --steps: .*101%/,
      [KEY, 'on', '--steps', '101%'],
    ],
    [
      'a cohort that there is not',
      4,
      /^SKEIN_COHORT_NOT_FOUND: steps\[0\]\.cohort: .*"canary"/,
      [KEY, 'on', '--steps', 'cohort:canary,100%'],
    ],
    [
      'a key that there is not',
      4,
      /^SKEIN_KEY_NOT_FOUND: fleet key "no\.such\.key"/,
      ['no.such.key', 'on', '--steps', '100%'],
    ],
    [
      'a negative bake',
      2,
      /^SKEIN_INVALID_ARGUMENT: --bake: "-5s" is not a duration\./,
      [KEY, 'on', '--steps', '100%', '--bake=-5s'],
    ],
    [
      'a negative bake in a file',
      2,
      /^SKEIN_BAD_MANIFEST: .*negative\.yaml.*line 8, spec\.steps\.0\.bake: "-5s" is not a duration/,
      ['-f', manifest('negative', '- percent: 100\n      bake: -5s')],
    ],
    [
      'a deadline that the bakes alone miss',
      2,
      /^SKEIN_BAD_ROLLOUT: limits\.deadline_ms: /,
      [KEY, 'on', '--steps', '50%,100%', '--bake', '1h', '--deadline', '90m'],
    ],
    [
      'a window that no clock shows',
      2,
      /^SKEIN_INVALID_ARGUMENT: --window: "25:00-26:00" is not a time window\./,
      [KEY, 'on', '--steps', '100%', '--window', '25:00-26:00'],
    ],
    [
      'a window where nobody lives',
      2,
      /^SKEIN_BAD_ROLLOUT: windows\[0\]\.time_zone: "Mars\/Olympus" is no time zone/,
      [KEY, 'on', '--steps', '100%', '--window', '09:00-17:00 Mars/Olympus'],
    ],
    [
      'PromQL that does not parse',
      2,
      /^SKEIN_BAD_ROLLOUT: steps\[0\]\.gates\[0\]\.prometheus\.query: .*parse error: unclosed/,
      [KEY, 'on', '--steps', '100%', '--gate', 'sum(rate(up[1m]) < 1'],
    ],
    [
      'PromQL of the wrong type',
      2,
      /^SKEIN_BAD_ROLLOUT: steps\[0\]\.gates\[0\]\.prometheus\.query: .*the query gives a matrix/,
      [KEY, 'on', '--steps', '100%', '--gate', 'up[1m] < 1'],
    ],
    [
      'a gate without a condition',
      2,
      /^SKEIN_INVALID_ARGUMENT: --gate: "up" ends in no condition\./,
      [KEY, 'on', '--steps', '100%', '--gate', 'up'],
    ],
  ];
  for (const [name, exitCode, line, words] of cases) {
    await t.test(name, async () => {
      await refused(exitCode, line, ['rollout', 'plan', ...words], ['rollout', 'start', ...words]);
    });
  }
});

test('a second rollout of a key is refused while the first is not over', async () => {
  const { id } = await start(KEY, '--steps', '100%', '--start-at', '2h');
  const line = new RegExp(`^SKEIN_KEY_OWNED: fleet key "${KEY}": rollout ${id} \\(planned\\) owns`);
  const second = ['rollout', 'start', KEY, 'off', '--steps', '50%,100%'];
  await refused(8, line, second, ['set', KEY, 'on'], ['key', 'delete', KEY]);
  await run(0, 'rollout', 'abort', id);
});

test('an approval that has expired counts no more', async () => {
  const { id } = await start(GUARDED_KEY, '--steps', '100%', '--start-at', '2h');
  await runAs('bob', 0, 'rollout', 'approve', id);
  clock.advance(31 * MINUTE);
  await refused(
    8,
    new RegExp(`^SKEIN_APPROVAL_REQUIRED: rollout ${id} has 0 of 1 approvals; expired: bob\\.`),
    ['rollout', 'promote', id],
  );
  await run(0, 'rollout', 'abort', id);
});

test('Prometheus away: a warning before, a pause in the bake, and no host more is changed', async () => {
  await prometheus.kill();
  const words = ['--steps', '1,100%', '--bake', '1h', '--gate', 'vector(0) < 1'];
  const plan = await run(0, 'rollout', 'plan', KEY, 'on', ...words);
  const away = new URL(prometheus.url).origin.replaceAll('.', '\\.');
  assert.match(
    plan.stdout,
    new RegExp(`a query could not be tried: .*${away}: connect ECONNREFUSED`),
  );
  const { id } = await start(KEY, ...words);
  const { pause } = await until('it is paused', async () => {
    clock.advance(50);
    const rollout = JSON.parse((await run(0, 'rollout', 'get', id, '-o', 'json')).stdout);
    return rollout.phase === 'paused' && rollout;
  });
  assert.equal(pause.cause, 'gate-error');
  assert.match(pause.reason, new RegExp(`^gate gate-1: SKEIN_PROMETHEUS: ${away}: connect ECONN`));
  assert.equal(on(), 1);
  await run(0, 'rollout', 'abort', id);
  await until('it is rolled back', () => {
    clock.advance(50);
    return on() === 0;
  });
});

/** Each command: one error line, of that exit code. And what the controller has and hosts run is what it was. */
async function refused(
  exitCode: number,
  line: RegExp,
  ...commands: readonly (readonly string[])[]
): Promise<void> {
  const before = await everything();
  for (const words of commands) {
    const { stderr, stdout } = await run(exitCode, ...words);
    assert.equal(stdout, '');
    assert.match(stderr, /^error: [^\n]*\n$/);
    assert.match(stderr.slice('error: '.length), line);
  }
  assert.deepEqual(await everything(), before);
}

async function everything(): Promise<unknown> {
  const told: string[] = [];
  for (const words of [['key', 'list'], ['rollout', 'list', '--all'], ['audit']]) {
    told.push((await run(0, ...words, '-o', 'json')).stdout);
  }
  return { told, values: hosts.map(({ values }) => [...values]) };
}

async function start(key: string, ...words: readonly string[]): Promise<{ readonly id: string }> {
  const { stdout } = await run(0, 'rollout', 'start', key, 'on', ...words, '-o', 'json');
  return JSON.parse(stdout);
}

const on = (): number => hosts.filter(({ value }) => value).length;

function run(exitCode: number, ...words: readonly string[]) {
  return runAs('alice', exitCode, ...words);
}

async function runAs(principal: string, exitCode: number, ...words: readonly string[]) {
  const result = await runSkein(words, { ...environment, SKEIN_TOKEN_FILE: tokenFile(principal) });
  assert.equal(result.code, exitCode, `skein ${words.join(' ')}: ${result.stderr}`);
  return result;
}

function tokenFile(principal: string): string {
  return join(harness.directory, `token-${principal}`);
}

function manifest(name: string, steps: string): string {
  const file = join(harness.directory, `${name}.yaml`);
  const spec = `  key: ${KEY}\n  value: on\n  steps:\n    ${steps}\n`;
  writeFileSync(file, `apiVersion: skein/v1\nkind: Rollout\nspec:\n${spec}`);
  return file;
}

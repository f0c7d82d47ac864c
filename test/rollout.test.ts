import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { z } from 'zod';
import { Fleet } from '#lab/fleet.ts';
import { GuardedHost } from '#lab/guarded-host.ts';
import { skein, skeinJson } from '#lab/skein-command.ts';
import { labPinRoot, sweepLab } from '#lab/sweep.ts';
import type { TrafficCounts } from '#lab/traffic.ts';
import { until } from './support/until.ts';

/** Rollouts by the real command on real hosts; every test leaves the key off, and what it does ends in packets. */
const KEY = 'net.drop_icmp';
const GUARDED_KEY = 'net.drop_udp';
const PACKETS = 20;
const STEPS = ['--steps', '1,100%'] as const;

const undo = new AsyncDisposableStack();
const directory = mkdtempSync(join(tmpdir(), 'skein-rollout-'));
const hosts: GuardedHost[] = [];
let fleet: Fleet;

before(async () => {
  sweepLab();
  undo.defer(() => rmSync(directory, { recursive: true }));
  for (const zone of ['a', 'b', 'c']) {
    const host = new GuardedHost(`rollout-${zone}`, { zone });
    undo.defer(() => host.remove());
    hosts.push(host);
  }
  fleet = new Fleet({
    directory,
    listen: '127.0.0.1:0',
    principal: 'tester',
    others: ['bob', 'carol'],
    pinRoot: labPinRoot(),
    agents: hosts.map((host) => host.agent),
    intervals: { heartbeatSeconds: 1, reconcileSeconds: 2 },
    approvals: [{ keys: [GUARDED_KEY], required: 2 }],
  });
  undo.defer(() => fleet.stop());
  await fleet.start();
  for (const key of [KEY, GUARDED_KEY]) await run(0, 'key', 'create', key);
});

after(() => undo.disposeAsync());

test('a plan shows the hosts of each step, and changes nothing', async () => {
  const before = await generation();
  const { stdout } = await run(0, 'rollout', 'plan', KEY, 'on', ...STEPS, '--bake', '10m');
  assert.match(stdout, /^Hosts +3 change; 3 match, 3 bind the key, 3 in the fleet$/m);
  assert.match(stdout, /^1 +1 host +1 +\+1 +10m .* rollout-[abc]$/m);
  assert.match(stdout, /^2 +100% +3 +\+2 +10m .* rollout-[abc], rollout-[abc]$/m);
  assert.equal(await generation(), before);
  assert.deepEqual(await json(rolloutList, 'rollout', 'list', '--all'), { rollouts: [] });
});

test('steps with a gate: one host, then all, and the value becomes the default', async () => {
  await run(0, 'rollout', 'start', KEY, 'on', ...STEPS, '--hold', '--gate', 'host-failures == 0');
  await untilPhase('paused');
  assert.equal(dropping(await icmp()), 1);
  const refused = await run(8, 'set', KEY, 'off');
  assert.match(refused.stderr, /^error: SKEIN_KEY_OWNED: .* \(paused\) owns it/m);
  await run(0, 'rollout', 'promote', KEY, '--reason', 'looks good');
  await follow(0, KEY);
  assert.equal(dropping(await icmp()), 3);
  const { defaultValue, rules } = await json(keyDocument, 'key', 'get', KEY);
  assert.deepEqual({ defaultValue, rules }, { defaultValue: true, rules: [] });
  const { stdout } = await run(0, 'audit', '--key', KEY);
  assert.match(stdout, /promote +tester .*looks good/);
  await off();
});

test('a gate on Prometheus, where none is configured: refused', async () => {
  const words = ['rollout', 'start', KEY, 'on', ...STEPS, '--gate', 'up < 1'];
  const { stderr } = await run(1, ...words);
  assert.match(stderr, /^error: SKEIN_PROMETHEUS: .*none is configured\. Set prometheus\.url/m);
  assert.equal(dropping(await icmp()), 0);
});

test('a gate that fails: exactly what it was', async () => {
  await run(0, 'set', KEY, 'off', '--selector', 'zone=z');
  const { rules } = await json(keyDocument, 'key', 'get', KEY);
  const gate = ['--gate', 'flip-latency < 0.000001', '--bake', '1h'];
  await run(0, 'rollout', 'start', KEY, 'on', ...STEPS, ...gate);
  const { stderr } = await follow(3, KEY);
  assert.match(stderr, /^error: SKEIN_ROLLOUT_NOT_COMPLETED: .* gate .* < 0.000001 does not hold/m);
  assert.deepEqual((await json(keyDocument, 'key', 'get', KEY)).rules, rules);
  assert.equal(dropping(await icmp()), 0);
  await off();
});

test('a kill beats a rollout, and pauses it', async () => {
  await run(0, 'rollout', 'start', KEY, 'on', ...STEPS, '--bake', '1h');
  await untilPhase('baking');
  await run(0, 'kill', KEY, '--wait', '--reason', 'incident 12');
  assert.equal(dropping(await icmp()), 0);
  const paused = await untilPhase('paused');
  assert.equal(paused.pause?.cause, 'killed');
  for (const action of ['resume', 'promote', 'retry']) {
    const { stderr } = await run(8, 'rollout', action, KEY);
    assert.match(stderr, /^error: SKEIN_KEY_KILLED: /m);
  }
  await run(0, 'revive', KEY, '--wait');
  assert.equal(dropping(await icmp()), 1);
  await run(0, 'rollout', 'abort', KEY, '--reason', 'enough');
  await follow(3, KEY);
  assert.equal(dropping(await icmp()), 0);
});

test('a freeze stops the line, but no kill and no roll-back', async () => {
  await run(0, 'rollout', 'start', KEY, 'on', ...STEPS, '--bake', '1h');
  await untilPhase('baking');
  await run(0, 'freeze', '--reason', 'trade fair');
  const refused = [
    ['set', GUARDED_KEY, 'on'],
    ['key', 'create', 'net.other'],
    ['rollout', 'promote', KEY],
    ['rollout', 'start', GUARDED_KEY, 'on', ...STEPS],
  ];
  for (const words of refused) {
    const { stderr } = await run(8, ...words);
    assert.match(stderr, /^error: SKEIN_FROZEN: frozen by tester since .*: trade fair/m);
  }
  const { blocked } = await untilShown('that it is frozen', (rollout) => !!rollout.blocked);
  assert.match(blocked?.reason ?? '', /^frozen by tester/);
  await run(0, 'kill', KEY, '--wait');
  assert.equal(dropping(await icmp()), 0);
  await run(0, 'rollout', 'abort', KEY);
  await follow(3, KEY);
  await run(0, 'freeze', 'lift');
  await run(0, 'revive', KEY, '--wait');
  assert.equal(dropping(await icmp()), 0);
});

test('export, diff and apply are one round', async () => {
  const manifests = join(directory, 'manifests');
  await run(0, 'cohort', 'set', 'canary', 'zone=a');
  await run(0, 'set', KEY, 'off', '--selector', 'zone=b');
  await run(0, 'export', '-f', manifests);
  await run(0, 'diff', '-f', manifests, '--prune');

  const file = join(manifests, 'keys', `${KEY}.yaml`);
  writeFileSync(file, readFileSync(file, 'utf8').replace('default: off', 'default: on'));
  const differing = await run(2, 'diff', '-f', manifests);
  assert.match(differing.stdout, /^- +default: off\n\+ +default: on$/m);
  await run(0, 'apply', '-f', manifests, '--dry-run');
  assert.equal(dropping(await icmp()), 0);

  await run(0, 'apply', '-f', manifests, '--reason', 'as declared');
  await until('two hosts drop', async () => dropping(await icmp()) === 2);
  const applied = await generation();
  await run(0, 'apply', '-f', manifests);
  assert.equal(await generation(), applied);
  await run(0, 'diff', '-f', manifests, '--prune');
  await off();
});

test('the state of the past is what the fleet was told then', async () => {
  await run(0, 'set', KEY, 'on', '--wait');
  const then = await json(keyDocument, 'key', 'get', KEY);
  await off();
  const past = await json(stateDocument, 'state', KEY, '--at', then.change.time);
  assert.deepEqual(
    past.keys.map(({ defaultValue, generation }) => ({ defaultValue, generation })),
    [{ defaultValue: true, generation: then.generation }],
  );
});

test('what needs approval waits for two others', async () => {
  const plain = await run(8, 'set', GUARDED_KEY, 'on');
  assert.match(plain.stderr, /^error: SKEIN_APPROVAL_REQUIRED: .* need 2 approvals/m);
  await run(0, 'rollout', 'start', GUARDED_KEY, 'on', '--steps', '100%');
  const own = await run(8, 'rollout', 'approve', GUARDED_KEY);
  assert.match(own.stderr, /^error: SKEIN_APPROVAL_REQUIRED: .*nobody approves .* their own/m);
  for (let i = 0; i < 2; i++) await runAs('bob', 0, 'rollout', 'approve', GUARDED_KEY);
  const early = await run(8, 'rollout', 'promote', GUARDED_KEY);
  assert.match(early.stderr, /^error: SKEIN_APPROVAL_REQUIRED: .* has 1 of 2 approvals/m);
  await runAs('carol', 0, 'rollout', 'approve', GUARDED_KEY);
  await follow(0, GUARDED_KEY);
  for (const { udpReceived } of await sampled()) assert.equal(udpReceived, 0);
  await run(0, 'kill', GUARDED_KEY, '--wait');
});

const keyDocument = z.object({
  generation: z.number(),
  defaultValue: z.boolean(),
  rules: z.array(z.unknown()),
  change: z.object({ time: z.string() }),
});
const stateDocument = z.object({ keys: z.array(keyDocument) });
const rolloutDocument = z.object({
  phase: z.string(),
  pause: z.object({ cause: z.string() }).optional(),
  blocked: z.object({ reason: z.string() }).optional(),
});
const rolloutList = z.object({ rollouts: z.array(rolloutDocument) });

function run(exitCode: number, ...words: readonly string[]) {
  return runAs('tester', exitCode, ...words);
}

async function runAs(principal: string, exitCode: number, ...words: readonly string[]) {
  const result = await skein(fleet.cliConfigOf(principal), ...words);
  assert.equal(result.exitCode, exitCode, `skein ${words.join(' ')}: ${result.stderr}`);
  return result;
}

async function json<T>(document: z.ZodType<T>, ...words: string[]): Promise<T> {
  return document.parse(await skeinJson(fleet.cliConfig, ...words));
}

async function generation(): Promise<number> {
  return (await json(keyDocument, 'key', 'get', KEY)).generation;
}

function follow(exitCode: number, key: string) {
  return run(exitCode, 'rollout', 'watch', key, '--timeout', '30s');
}

function off() {
  return run(0, 'set', KEY, 'off', '--wait');
}

function untilPhase(phase: string) {
  return untilShown(phase, (rollout) => rollout.phase === phase);
}

function untilShown(what: string, isSo: (rollout: z.output<typeof rolloutDocument>) => boolean) {
  return until(what, async () => {
    const rollout = await json(rolloutDocument, 'rollout', 'get', KEY);
    return isSo(rollout) && rollout;
  });
}

function sampled(): Promise<readonly TrafficCounts[]> {
  return Promise.all(hosts.map((host) => host.sample(PACKETS)));
}

/** Of each host; UDP always passes. */
async function icmp(): Promise<readonly TrafficCounts[]> {
  const counts = await sampled();
  for (const { udpReceived, udpSent } of counts) assert.equal(udpReceived, udpSent);
  return counts;
}

/** How many hosts lose all of it; the others lose nothing. */
function dropping(counts: readonly TrafficCounts[]): number {
  const losing = counts.filter(({ icmpReceived, icmpSent }) => icmpReceived < icmpSent);
  for (const { icmpReceived } of losing) assert.equal(icmpReceived, 0);
  return losing.length;
}

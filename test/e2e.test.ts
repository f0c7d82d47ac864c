import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connect, type NatsConnection } from 'nats';
import { z } from 'zod';
import { sealDesired } from '#common/envelope.ts';
import { generateSeed, signerFromSeed } from '#common/nkey.ts';
import { Fleet } from '#lab/fleet.ts';
import { GuardedHost } from '#lab/guarded-host.ts';
import { skein, skeinJson } from '#lab/skein-command.ts';
import { labPinRoot, sweepLab } from '#lab/sweep.ts';
import { DESIRED_PREFIX, KEYS_BUCKET } from '#proto/subjects.ts';
import { until } from './support/until.ts';

/** The whole path, every part real: command, gRPC, JetStream, agents, helper, kernel, packets. */
const KEY = 'net.drop_icmp';
const PACKETS = 20;

const undo = new AsyncDisposableStack();
const hosts: GuardedHost[] = [];
let fleet: Fleet;

before(async () => {
  sweepLab();
  const directory = mkdtempSync(join(tmpdir(), 'skein-e2e-'));
  undo.defer(() => rmSync(directory, { recursive: true }));
  for (const zone of ['a', 'b']) {
    const host = new GuardedHost(`e2e-${zone}`, { zone });
    undo.defer(() => host.remove());
    hosts.push(host);
  }
  fleet = new Fleet({
    directory,
    listen: '127.0.0.1:0',
    principal: 'tester',
    pinRoot: labPinRoot(),
    agents: hosts.map((host) => host.agent),
    intervals: { heartbeatSeconds: 1, reconcileSeconds: 2 },
  });
  undo.defer(() => fleet.stop());
  await fleet.start();
  await run(0, 'key', 'create', KEY);
});

after(() => undo.disposeAsync());

test('a flip with a selector drops packets on the matching host alone', async () => {
  await run(0, 'set', KEY, 'on', '--selector', 'zone=a', '--wait', '--reason', 'test');
  assert.deepEqual(await fates(), ['dropped', 'passes']);
  await run(0, 'set', KEY, 'off', '--wait');
  assert.deepEqual(await fates(), ['passes', 'passes']);
});

test('explain names the rule that decided', async () => {
  await run(0, 'set', KEY, 'on', '--selector', 'zone=a', '--wait');
  assert.match((await run(0, 'explain', 'e2e-a', KEY)).stdout, /zone=a/);
  assert.match((await run(0, 'explain', 'e2e-b', KEY)).stdout, /default/);
  await run(0, 'set', KEY, 'off', '--wait');
});

test('percent takes in exactly that part of the hosts', async () => {
  await run(0, 'set', KEY, 'on', '--percent', '50', '--wait');
  const dropped = (await fates()).filter((fate) => fate === 'dropped');
  assert.equal(dropped.length, 1);
  await run(0, 'set', KEY, 'off', '--wait');
});

test('wrong input is one line with its code, and changes nothing', async () => {
  const cases = [
    [4, 'SKEIN_KEY_NOT_FOUND', ['set', 'no.such.key', 'on']],
    [2, 'SKEIN_BAD_SELECTOR', ['set', KEY, 'on', '--selector', 'zone in a']],
    [5, 'SKEIN_CONFLICT', ['set', KEY, 'on', '--etag', '1']],
    [5, 'SKEIN_KEY_EXISTS', ['key', 'create', KEY]],
    [4, 'SKEIN_HOST_NOT_FOUND', ['host', 'get', 'nobody']],
    [3, 'SKEIN_WAIT_NO_HOSTS', ['set', KEY, 'off', '--selector', 'zone=z', '--wait']],
  ] as const;
  for (const [exitCode, code, args] of cases) {
    const { stderr } = await run(exitCode, ...args);
    const errors = stderr.split('\n').filter((line) => line.startsWith('error:'));
    assert.equal(errors.length, 1, stderr);
    assert.match(errors[0] ?? '', new RegExp(`^error: ${code}: `));
  }
  assert.deepEqual(await fates(), ['passes', 'passes']);
});

test('without the token nothing is answered', async () => {
  const { server } = fleet;
  const result = await skein('/dev/null', 'set', KEY, 'on', '--server', server);
  assert.equal(result.exitCode, 7);
  assert.match(result.stderr, /SKEIN_UNAUTHENTICATED/);
});

test('a stranger on the bus flips nothing', async () => {
  await assert.rejects(connect({ servers: fleet.natsUrl, reconnect: false }), /AUTHORIZATION/i);

  // Even with the controller's password, what is not signed with the controller's key is refused.
  const stranger = await natsAs('controller');
  const state = { ...onEverywhere, generation: 1_000n };
  const forged = sealDesired(state, signerFromSeed(generateSeed()));
  const before = await rejections('bad_signature');
  stranger.publish(`${DESIRED_PREFIX}.${KEY}`, forged);
  stranger.publish(`${DESIRED_PREFIX}.${KEY}`, Buffer.from('not even an envelope'));
  await stranger.flush();
  await until(
    'both hosts refuse both',
    async () => (await rejections('bad_signature')) >= before + 4,
  );
  assert.deepEqual(await fates(), ['passes', 'passes']);
  await stranger.close();
});

test('a replayed generation goes nowhere', async () => {
  const bus = await natsAs('controller');
  await run(0, 'set', KEY, 'on', '--wait');
  const recorded = await (await bus.jetstream().views.kv(KEYS_BUCKET)).get(KEY);
  assert.ok(recorded);
  await run(0, 'set', KEY, 'off', '--wait');
  const before = await rejections('stale');
  bus.publish(`${DESIRED_PREFIX}.${KEY}`, recorded.value);
  await bus.flush();
  await until('both hosts refuse it', async () => (await rejections('stale')) >= before + 2);
  assert.deepEqual(await fates(), ['passes', 'passes']);
  await bus.close();
});

test("an agent's own credentials cannot write a key or speak for another host", async () => {
  const agent = await natsAs('e2e-a');
  const refused = (async () => {
    const subjects: string[] = [];
    for await (const status of agent.status()) {
      subjects.push(`${status.permissionContext?.subject}`);
      if (subjects.length === 2) return subjects;
    }
    return subjects;
  })();
  agent.publish(`$KV.${KEYS_BUCKET}.${KEY}`, Buffer.from('x'));
  agent.publish('skein.v1.ack.e2e-b', Buffer.from('x'));
  assert.deepEqual(await refused, [`$KV.${KEYS_BUCKET}.${KEY}`, 'skein.v1.ack.e2e-b']);
  await agent.close();
});

test('a killed helper is replaced, and flips go on', async () => {
  const { pid } = fleet.agent('e2e-a');
  const [helper] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  assert.ok(helper);
  process.kill(Number(helper), 'SIGKILL');
  await run(0, 'set', KEY, 'on', '--wait');
  assert.deepEqual(await fates(), ['dropped', 'dropped']);
  await run(0, 'set', KEY, 'off', '--wait');
  assert.deepEqual(await fates(), ['passes', 'passes']);
});

test('a controller killed and restarted knows keys, hosts and audit', async () => {
  await fleet.controller.crash();
  await fleet.startController();
  await run(0, 'set', KEY, 'on', '--selector', 'host=e2e-b', '--wait', '--reason', 'after crash');
  assert.deepEqual(await fates(), ['passes', 'dropped']);
  const { stdout } = await run(0, 'audit', '--key', KEY);
  assert.match(stdout, /after crash/);
  assert.match(stdout, /tester/);
  await run(0, 'set', KEY, 'off', '--wait');
});

test('the history of a key has every generation, newest first', async () => {
  const document = z.object({ generations: z.array(z.object({ generation: z.number() })) });
  const history = document.parse(await skeinJson(fleet.cliConfig, 'key', 'history', KEY));
  const generations = history.generations.map((entry) => entry.generation);
  assert.ok(generations.length > 5);
  assert.deepEqual(
    generations,
    [...generations].sort((a, b) => b - a),
  );
});

async function run(exitCode: number, ...args: readonly string[]) {
  const result = await skein(fleet.cliConfig, ...args);
  assert.equal(result.exitCode, exitCode, `skein ${args.join(' ')}: ${result.stderr}`);
  return result;
}

/** What becomes of each host's ICMP. UDP always passes. */
function fates(): Promise<readonly string[]> {
  return Promise.all(
    hosts.map(async (host) => {
      const traffic = await host.sample(PACKETS);
      assert.equal(traffic.udpReceived, traffic.udpSent);
      if (traffic.icmpReceived === traffic.icmpSent) return 'passes';
      return traffic.icmpReceived === 0 ? 'dropped' : 'dropped in part';
    }),
  );
}

/** How many messages the agents refused for this reason. */
async function rejections(reason: string): Promise<number> {
  const counts = await Promise.all(
    hosts.map(async ({ lab }) => {
      const url = `${fleet.agent(lab.name).announced.metrics}/metrics`;
      const metrics = await (await fetch(url)).text();
      const line = new RegExp(
        `^skein_agent_rejected_messages_total\\{reason="${reason}"\\} (\\d+)`,
        'm',
      );
      return Number(line.exec(metrics)?.[1] ?? 0);
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

function natsAs(user: string): Promise<NatsConnection> {
  return connect({ servers: fleet.natsUrl, user, pass: fleet.natsPassword(user) });
}

const onEverywhere = {
  name: KEY,
  defaultValue: true,
  rules: [],
  deleted: false,
  description: '',
  change: { action: 'set', actor: 'mallory', reason: '', requestId: '', time: new Date() },
} as const;

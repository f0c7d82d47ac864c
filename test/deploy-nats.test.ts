import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect, type NatsConnection, nkeyAuthenticator, StringCodec } from 'nats';
import { generateSeed, signerFromSeed } from '#common/nkey.ts';
import { natsConf } from '#lab/nats-conf.ts';
import {
  ackSubject,
  auditSubject,
  DESIRED_PREFIX,
  heartbeatSubject,
  KEYS_BUCKET,
  sitesRequestSubject,
  statusRequestSubject,
  statusSubject,
} from '#proto/subjects.ts';
import { type NatsServer, startNatsServer } from './support/nats-server.ts';
import { until } from './support/until.ts';

const CONF = 'deploy/nats/nats-server.conf';
const SEEDS = { controller: generateSeed(), agent: generateSeed() };
const text = StringCodec();

/** The file as an operator would fill it in, for a host with a dot in its name. */
function filledIn(storeDirectory: string): string {
  const keys = [SEEDS.controller, SEEDS.agent].map((seed) => signerFromSeed(seed).publicKey);
  return readFileSync(CONF, 'utf8')
    .replace(/^listen:.*$/m, '')
    .replace(/nkey: ".*"/g, () => `nkey: "${keys.shift()}"`)
    .replace('"/var/lib/nats"', JSON.stringify(storeDirectory))
    .replaceAll('host-a', 'host-a_example');
}

test('nats-server accepts the configuration as it is in the repository', () => {
  execFileSync('nats-server', ['-t', '-c', CONF], { stdio: 'pipe' });
});

test('the lab runs on the same accounts and permissions', () => {
  const user = { user: 'u', password: 'p' };
  const lab = natsConf('/store', { controller: user, agents: [{ ...user, host: 'host-a' }] });
  const subjects = (conf: string) =>
    [...conf.matchAll(/"((?:\$JS|skein|_INBOX)\.[^"]*)"/g)].map(([, subject]) => subject).sort();
  const deployed = readFileSync(CONF, 'utf8');
  const controllers = /publish: \["\$JS\.>".*\n.*\n/;
  assert.match(deployed, controllers);
  assert.deepEqual(subjects(lab), subjects(deployed.replace(controllers, '')));
});

describe('NATS permissions', () => {
  const store = mkdtempSync(join(tmpdir(), 'skein-deploy-nats-'));
  const connections: NatsConnection[] = [];
  let server: NatsServer;
  let controller: NatsConnection;
  let agent: NatsConnection;
  /** Subjects and kinds of what the server refused the agent. */
  const refused: string[] = [];

  before(async () => {
    server = await startNatsServer({ config: filledIn(store), jetstream: false });
    controller = await connectAs(SEEDS.controller, '_INBOX.skein-controller');
    const kv = await controller.jetstream().views.kv(KEYS_BUCKET, {
      republish: { src: '>', dest: `${DESIRED_PREFIX}.>` },
    });
    await kv.put('net.drop', 'signed by the controller');
    agent = await connectAs(SEEDS.agent, '_INBOX.skein-host-a_example');
    void (async () => {
      for await (const status of agent.status()) {
        const permission = status.permissionContext;
        if (permission) refused.push(`${permission.operation} ${permission.subject}`);
      }
    })();
  });

  after(async () => {
    await Promise.all(connections.map((connection) => connection.close()));
    await server?.stop();
    rmSync(store, { recursive: true, force: true });
  });

  async function connectAs(seed: string, inboxPrefix: string): Promise<NatsConnection> {
    const authenticator = nkeyAuthenticator(text.encode(seed));
    const connection = await connect({ servers: server.url, authenticator, inboxPrefix });
    connections.push(connection);
    return connection;
  }

  test('a stranger does not get in', async () => {
    await assert.rejects(connect({ servers: server.url }), /authorization violation/i);
    await assert.rejects(connectAs(generateSeed(), '_INBOX.x'), /authorization violation/i);
  });

  test('an agent reads desired state: as it is and as it changes', async () => {
    const stored = await agent.request(
      `$JS.API.DIRECT.GET.KV_${KEYS_BUCKET}.$KV.${KEYS_BUCKET}.net.drop`,
    );
    assert.equal(text.decode(stored.data), 'signed by the controller');

    const changes = agent.subscribe(`${DESIRED_PREFIX}.>`, { max: 1 });
    await agent.flush();
    const kv = await controller.jetstream().views.kv(KEYS_BUCKET);
    await kv.put('net.drop', 'a change');
    for await (const change of changes) assert.equal(text.decode(change.data), 'a change');
  });

  test('an agent reports for its own host, and answers when asked', async () => {
    const reports = controller.subscribe('skein.v1.*.host-a_example', { max: 4 });
    await controller.flush();
    const host = 'host-a.example';
    agent.subscribe(statusRequestSubject(host), {
      callback: () => agent.publish(statusSubject(host)),
    });
    await agent.flush();
    agent.publish(ackSubject(host));
    agent.publish(heartbeatSubject(host));
    const seen: string[] = [];
    controller.publish(statusRequestSubject(host));
    for await (const report of reports) seen.push(report.subject);
    const subjects = [ackSubject, heartbeatSubject, statusSubject, statusRequestSubject];
    assert.deepEqual(seen.toSorted(), subjects.map((of) => of(host)).toSorted());
  });

  test('an agent answers the controller when asked for its sites, once', async () => {
    const subject = sitesRequestSubject('host-a.example');
    agent.subscribe(subject, {
      callback: (_, request) => {
        request.respond(text.encode('here'));
        request.respond(text.encode('and again'));
      },
    });
    await agent.flush();
    const reply = await controller.request(subject, undefined, { timeout: 5_000 });
    assert.equal(text.decode(reply.data), 'here');
    await until('refusal of a second answer', () =>
      refused.some((what) => what.startsWith('publish _R_.')),
    );
  });

  const READ = `$JS.API.DIRECT.GET.KV_${KEYS_BUCKET}.$KV.${KEYS_BUCKET}`;

  /** The reply subject of a request is under no permission; only the accounts keep it out of the streams. */
  test('an agent cannot have the server put an old entry again, or onto another key', async () => {
    const kv = await controller.jetstream().views.kv(KEYS_BUCKET);
    await kv.put('net.other', 'of another key');
    const before = await kv.get('net.drop');
    for (const subject of [`${READ}.net.drop`, `${READ}.net.other`]) {
      agent.publish(subject, undefined, { reply: `$KV.${KEYS_BUCKET}.net.drop` });
    }
    await agent.request(`${READ}.net.drop`);
    assert.equal((await kv.get('net.drop'))?.revision, before?.revision);
    const { state } = await (await controller.jetstreamManager()).streams.info(`KV_${KEYS_BUCKET}`);
    assert.equal(state.last_seq, (await kv.get('net.other'))?.revision);
  });

  const forbidden = {
    'learn of keys that are not its own': `$JS.API.STREAM.INFO.KV_${KEYS_BUCKET}`,
    'read an entry by its number': `$JS.API.DIRECT.GET.KV_${KEYS_BUCKET}`,
    'write desired state': `$KV.${KEYS_BUCKET}.net.drop`,
    'publish desired state to the others': `${DESIRED_PREFIX}.net.drop`,
    'acknowledge for another host': ackSubject('host-b'),
    'send a heartbeat for another host': heartbeatSubject('host-b'),
    'report the status of another host': statusSubject('host-b'),
    'ask another host for its status': statusRequestSubject('host-b'),
    'ask another host for its sites': sitesRequestSubject('host-b'),
    'write the audit trail': auditSubject('net.drop'),
    'delete the bucket': `$JS.API.STREAM.DELETE.KV_${KEYS_BUCKET}`,
    'purge the bucket': `$JS.API.STREAM.PURGE.KV_${KEYS_BUCKET}`,
    'make a consumer': `$JS.API.CONSUMER.CREATE.KV_${KEYS_BUCKET}`,
    'answer into the inbox of the controller': '_INBOX.skein-controller.x',
  };
  for (const [what, subject] of Object.entries(forbidden)) {
    test(`an agent cannot ${what}`, async () => {
      agent.publish(subject, text.encode('forged'));
      await until(`refusal of ${subject}`, () => refused.includes(`publish ${subject}`));
    });
  }

  test('an agent cannot listen to another host', async () => {
    for (const subject of [
      ackSubject('host-b'),
      sitesRequestSubject('host-b'),
      '_INBOX.skein-host-b.>',
      'skein.>',
    ]) {
      agent.subscribe(subject, { callback: () => {} });
      await until(`refusal of ${subject}`, () => refused.includes(`subscription ${subject}`));
    }
  });

  test('after all that, desired state is what the controller wrote', async () => {
    const kv = await controller.jetstream().views.kv(KEYS_BUCKET);
    assert.equal((await kv.get('net.drop'))?.string(), 'a change');
  });
});

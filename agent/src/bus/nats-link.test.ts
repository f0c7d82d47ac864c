import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { systemClock } from '#common/clock.ts';
import { connectNats } from '#common/nats.ts';
import { type NatsServer, startNatsServer } from '../../../test/support/nats-server.ts';
import { until } from '../../../test/support/until.ts';
import { recordingLogger } from '../testing/fixtures.ts';
import { type TestAgent, TestHost } from '../testing/test-agent.ts';
import { NatsLink } from './nats-link.ts';

const PERMISSIONS = '{ publish: ["$JS.API.>"], subscribe: ["_INBOX.>"] }';

describe('an agent and a NATS server that refuses', () => {
  const agent = { user: 'agent', pass: 'p' };
  let server: NatsServer;
  let host: TestHost;
  before(async () => {
    const user = `{ user: agent, password: p, permissions: ${PERMISSIONS} }`;
    server = await startNatsServer({ config: `authorization { users: [${user}] }` });
  });
  after(() => server.stop());
  beforeEach(() => {
    host = new TestHost();
  });
  afterEach(() => host[Symbol.asyncDispose]());

  const warnings = ({ lines }: TestAgent) =>
    lines.flatMap(({ level, msg }) => (level === 40 ? [String(msg)] : []));
  const told = (started: TestAgent, what: RegExp) =>
    until(String(what), () => warnings(started).some((line) => what.test(line)));

  it('a subject that it may not use is named, with who grants it', async () => {
    const started = await host.start(server.url, undefined, agent);
    const refuses = '^SKEIN_NATS_UNAVAILABLE: NATS refuses the';
    const remedy = 'Give the agent the permissions that deploy/nats/nats-server\\.conf has';
    for (const what of ['subscription to skein.v1.desired.>', 'publish to skein.v1.heartbeat.']) {
      await told(started, new RegExp(`${refuses} ${what.replaceAll('.', '\\.')}.*${remedy}`));
    }
  });

  it('another reason why it cannot connect is told as well, the same one is not', async () => {
    await server.kill();
    const started = await host.start(server.url, undefined, { ...agent, pass: 'wrong' });
    await told(started, /CONNECTION_REFUSED/);
    await server.restart();
    await told(started, /authorization/i);
    assert.equal(warnings(started).length, 2, warnings(started).join('\n'));
  });

  it('the agent stops though NATS does not answer', { timeout: 10_000 }, async () => {
    const started = await host.start(server.url, undefined, agent);
    await told(started, /heartbeat/);
    await server.freeze();
    try {
      await host.stop(started, true);
    } finally {
      server.thaw();
    }
    assert.equal(host.world.units.size, 0);
  });
});

it('what the server says of the connection itself is told without the remedy of a refusal', async () => {
  // As nats-server does it: said, then ended.
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.write('INFO {"version":"2.10.0","max_payload":1048576}\r\n');
    socket.once('data', () => socket.end("PONG\r\n-ERR 'User Authentication Expired'\r\n"));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const { logger, lines } = recordingLogger();
  const link = new NatsLink({
    connect: () => connectNats({ servers: `127.0.0.1:${port}`, reconnectTimeWait: 50 }),
    open: () => ({ started: Promise.resolve(), reconnected() {}, end() {} }),
    clock: systemClock,
    random: () => 0,
    logger,
    onConnected: () => {},
  });
  link.start();
  try {
    const told = await until('the error', () => lines.find(({ msg }) => /EXPIRED/.test(`${msg}`)));
    assert.deepEqual([told.level, told.msg], [40, 'NATS reports AUTHENTICATION_EXPIRED']);
  } finally {
    await link.stop();
    server.close();
  }
});

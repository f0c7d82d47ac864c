import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { HookKind } from '#proto/gen/skein/v1/helper.ts';
import { until } from '../../../test/support/until.ts';
import { runToEnd, type Server, useServer } from './embedded.ts';
import { install, makeMap, u32, update } from './programs.ts';
import { nextWithHooks, type Runtime, useAgent } from './stand-in-agent.ts';

const skip = process.arch === 'x64' ? false : 'the JIT is for x86-64';
const DROP = 1;
const PASS = 2;
const TX = 3;

/** The fields of struct xdp_md, each 8 bytes wide. */
const START = `
  r6 = r1
  r2 = *(u64 *)(r6 +0)
  r3 = *(u64 *)(r6 +8)
  r0 = 0
  r4 = r2
  r4 += 43
  if r4 > r3 goto end`;

interface Scene {
  readonly forward: Server;
  readonly runtime: Runtime;
  /** Answers with what came, after "re:". */
  readonly client: Client;
  readonly received: string[];
}

interface Client {
  send(text: string): void;
  readonly received: string[];
  readonly port: number;
}

async function useSocket(t: TestContext): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.after(() => socket.close());
  return socket;
}

async function useClient(t: TestContext, port: number): Promise<Client> {
  const socket = await useSocket(t);
  const received: string[] = [];
  socket.on('message', (message, from) => {
    assert.equal(from.port, port);
    received.push(message.toString());
  });
  return {
    send: (text) => socket.send(text, port, '127.0.0.1'),
    received,
    port: socket.address().port,
  };
}

async function useScene(t: TestContext): Promise<Scene & { readonly port: number }> {
  const agent = await useAgent(t);
  const echo = await useSocket(t);
  const received: string[] = [];
  echo.on('message', (message, from) => {
    received.push(message.toString());
    echo.send(`re:${message}`, from.port, from.address);
  });
  const forward = useServer(
    t,
    'asan/skein-forward',
    ...['--socket', agent.path, '--hook', 'front'],
    ...['--listen', '127.0.0.1:0', '--to', `127.0.0.1:${echo.address().port}`],
  );
  const line = await forward.logged(/ to 127/);
  const port = Number(/:(\d+) to /.exec(line)?.[1]);
  const runtime = await nextWithHooks(agent);
  return { forward, runtime, received, client: await useClient(t, port), port };
}

async function counters(forward: Server): Promise<Record<string, unknown>> {
  forward.child.kill('SIGUSR1');
  return JSON.parse(await forward.nextLine());
}

async function settled(
  forward: Server,
  expected: Readonly<Record<string, unknown>>,
): Promise<void> {
  const wanted = Object.entries(expected);
  await until(JSON.stringify(expected), async () => {
    const now = await counters(forward);
    return wanted.every(([name, value]) => now[name] === value);
  });
}

describe('skein-forward', { skip }, () => {
  it('forwards everything, both ways, while nothing is installed', async (t) => {
    const { forward, client, port } = await useScene(t);
    const other = await useClient(t, port);
    client.send('one');
    other.send('two');
    await until('both answers', () => client.received.length + other.received.length === 2);
    assert.deepEqual([client.received, other.received], [['re:one'], ['re:two']]);
    client.send('');
    client.send('x'.repeat(60_000));
    await until('the answers', () => client.received.length === 3);
    assert.deepEqual(client.received.map(({ length }) => length).sort(), [3, 60_003, 6].sort());
    assert.deepEqual(await counters(forward), {
      received: 4,
      passed: 4,
      dropped: 0,
      transmitted: 0,
      aborted: 0,
      malformed: 0,
      replies: 4,
      sendErrors: 0,
      clients: 2,
      connected: true,
    });
  });

  it('does what the program says of each datagram', async (t) => {
    const { forward, runtime, client, received } = await useScene(t);
    // The first byte of the payload is the verdict.
    const source = `${START}
      r0 = *(u8 *)(r2 +42)
      end: exit`;
    await install(runtime, 'front', HookKind.XDP, source);
    for (const verdict of [DROP, 0, 4, 99, TX, PASS]) client.send(String.fromCharCode(verdict));
    await until('an answer', () => client.received.length === 2);
    assert.deepEqual(client.received, ['\x03', 're:\x02']);
    assert.deepEqual(received, ['\x02']);
    await settled(forward, { received: 6, passed: 1, dropped: 1, transmitted: 1, aborted: 3 });
  });

  it('shows whole packets: addresses, ports, lengths and checksums', async (t) => {
    const { forward, runtime, client, port } = await useScene(t);
    const seen = await makeMap(runtime, 'ringbuf', 0, 0, 4096);
    const copy = Array.from(
      { length: 6 },
      (_, word) => `r1 = *(u64 *)(r2 +${word * 8})\n*(u64 *)(r0 +${word * 8}) = r1`,
    ).join('\n');
    const source = `
      r6 = r1
      r1 = map[fd:${seen}] ll
      r2 = 48
      r3 = 0
      call 131
      if r0 == 0 goto end
      r2 = *(u64 *)(r6 +0)
      ${copy}
      r1 = r0
      r2 = 0
      call 132
      r0 = 1
      end: exit`;
    await install(runtime, 'front', HookKind.XDP, source);
    client.send('abcdef');
    await settled(forward, { dropped: 1 });
    const op = { $case: 'readRing', value: { count: 1 } } as const;
    const [record] = (await runtime.request('vmMapOp', { map: seen, op })).records;
    const packet = Buffer.from(record ?? []);
    assert.equal(packet.readUInt16BE(12), 0x0800);
    const ip = packet.subarray(14, 34);
    assert.equal(onesComplementSum(ip), 0xffff);
    assert.deepEqual([ip[0], ip[8], ip[9], ip.readUInt16BE(2)], [0x45, 64, 17, 34]);
    assert.equal(ip.subarray(12).toString('hex'), '7f0000017f000001');
    const udp = packet.subarray(34);
    assert.deepEqual([udp.readUInt16BE(0), udp.readUInt16BE(2)], [client.port, port]);
    const pseudo = Buffer.concat([ip.subarray(12), Buffer.from([0, 17, 0, 14])]);
    assert.equal(onesComplementSum(Buffer.concat([pseudo, udp])), 0xffff);
    assert.equal(udp.subarray(8).toString(), 'abcdef');
  });

  it('takes packets as programs leave them: longer, moved, or broken', async (t) => {
    const { forward, runtime, client, received } = await useScene(t);
    const mode = await makeMap(runtime, 'array', 4, 4, 1);
    const shorten = `
      r1 = r6
      r2 = -4
      call 65
      r2 = *(u64 *)(r6 +0)
      *(u16 *)(r2 +16) = 0x1f00
      *(u16 *)(r2 +38) = 0x0b00
      r0 = 2
      exit`;
    const away = `
      r1 = r6
      r2 = 14
      call 44
      r0 = 2
      exit`;
    const source = `${START}
      r1 = map[fd:${mode}][0]+0 ll
      r1 = *(u32 *)(r1 +0)
      if r1 == 1 goto away
      ${shorten}
      away: ${away}
      end: exit`;
    await install(runtime, 'front', HookKind.XDP, source);
    client.send('1234567');
    await until('the shortened one', () => received.length === 1);
    assert.deepEqual(received, ['123']);
    await update(runtime, mode, u32(0), u32(1));
    client.send('1234567');
    await settled(forward, { passed: 1, malformed: 1 });
  });

  it('says what is wrong with its command line, and ends', () => {
    for (const [args, message] of [
      [[], /expected --socket/],
      [['--listen', 'nowhere'], /--listen: not ADDR:PORT of IPv4: nowhere/],
      [['--to', '127.0.0.1:0'], /--to: not ADDR:PORT/],
      [['--listen', '127.0.0.1:65536'], /--listen/],
      [['--in', 'eth0', '--to', '127.0.0.1:1'], /expected --socket/],
      [['--what'], /unknown option or missing value: --what/],
      [['stray'], /unexpected argument: stray/],
    ] as const) {
      const { status, stderr } = runToEnd('asan/skein-forward', args);
      assert.equal(status, 2);
      assert.match(stderr, message);
    }
  });
});

function onesComplementSum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2)
    sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

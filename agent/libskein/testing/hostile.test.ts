import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { encodeFrame } from '#agent/helper/framing.ts';
import type { Op } from '#agent/helper/helper.ts';
import {
  type CodePatch,
  HelperRequest,
  HookKind,
  type InstallProgramRequest,
} from '#proto/gen/skein/v1/helper.ts';
import { limitMemory, type Server, useServer } from './embedded.ts';
import { MAP_TYPE, makeMap, mapProgram, u32, u64 } from './programs.ts';
import { nextWithHooks, type Runtime, type StandInAgent, useAgent } from './stand-in-agent.ts';

const skip = process.arch === 'x64' ? false : 'the JIT is for x86-64';
const HELLO: Op = { $case: 'runtimeHello', value: { protocolVersion: 1 } };
const NOTHING = new Uint8Array();

interface Scene {
  readonly agent: StandInAgent;
  readonly server: Server;
  readonly runtime: Runtime;
}

async function useScene(t: TestContext): Promise<Scene> {
  const agent = await useAgent(t);
  const server = useServer(t, 'asan/embedded', agent.path);
  return { agent, server, runtime: await nextWithHooks(agent) };
}

/** The error of a request, as it comes: code and message. */
async function refusal(runtime: Runtime, op: Op | undefined): Promise<string> {
  const { result } = await runtime.exchange({ id: 7n, op });
  assert.equal(result?.$case, 'error', `${op?.$case} was not refused`);
  return result.$case === 'error' ? `${result.value.code}: ${result.value.message}` : '';
}

const bytesOf = (op: Op) => HelperRequest.encode({ id: 1n, op }).finish();

describe('a hostile agent', { skip }, () => {
  it('loses its connection for what is no frame or no request, and nothing else happens', async (t) => {
    const agent = await useAgent(t);
    const server = useServer(t, 'asan/embedded', agent.path);
    const cases: readonly (readonly [string, Uint8Array, RegExp])[] = [
      ['a frame too large', u32(0xffff_ffff), /frame larger than 64 MiB/],
      ['no protobuf', encodeFrame(Buffer.from('GET / HTTP/1.1\r\n')), /not a HelperRequest/],
      ['more messages than bytes', encodeFrame(manyEmpty(4_000_000)), /not a HelperRequest/],
    ];
    for (const [name, bytes, message] of cases) {
      const runtime = await nextWithHooks(agent);
      runtime.send(bytes);
      await runtime.ended;
      assert.match(await server.logged(message), /^skein: connection to/, name);
      assert.equal(await server.ask('get a'), 'none');
    }
    const runtime = await nextWithHooks(agent);
    runtime.send(encodeFrame(bytesOf(HELLO)).subarray(0, 5));
    await runtime.drop();
    await server.logged(/end of file inside a frame|Connection reset|read or write failed/);
    await nextWithHooks(agent);
  });

  it('is refused what it may not do', async (t) => {
    const agent = await useAgent(t);
    const server = useServer(t, 'asan/embedded', agent.path);
    const early = await agent.next();
    assert.equal(
      await refusal(early, { $case: 'close', value: { handle: 1 } }),
      'BAD_REQUEST: op: the first request must be a hello',
    );
    assert.equal(
      await refusal(early, { $case: 'runtimeHello', value: { protocolVersion: 2 } }),
      'BAD_REQUEST: protocol_version: 2, not 1',
    );
    await early.drop();
    const runtime = await nextWithHooks(agent);
    const map = await makeMap(runtime, 'hash', 4, 4, 2);
    const array = await makeMap(runtime, 'array', 4, 4, 1);
    const { code } = await mapProgram(runtime, 'r0 = 1\nexit');
    const good: InstallProgramRequest = {
      hook: 'request',
      kind: HookKind.MEMORY,
      code,
      entry: 0,
      label: 'x',
      blob: NOTHING,
      uses: [],
    };
    const installs: readonly (readonly [Partial<InstallProgramRequest>, string])[] = [
      [{ hook: 'other' }, 'NOT_FOUND: hook other: there is none'],
      [{ hook: '../x' }, 'BAD_REQUEST: hook: not 1..64 of [A-Za-z0-9_.-]'],
      [{ kind: HookKind.XDP }, 'BAD_REQUEST: kind: hook request is of another'],
      [{ kind: HookKind.UNSPECIFIED }, 'BAD_REQUEST: kind: missing or unknown'],
      [{ code: 0 }, 'BAD_REQUEST: code: missing'],
      [{ code: 9999 }, 'NO_SUCH_HANDLE: handle 9999: not open'],
      [{ code: map }, `WRONG_KIND: handle ${map}: a map of the userspace engine, not a code`],
      [{ entry: 0x7fff_ffff }, `BAD_REQUEST: entry: outside of code ${code}`],
      [{ label: '' }, 'BAD_REQUEST: label: not 1..128 of printable ASCII'],
      [{ label: 'a\nb' }, 'BAD_REQUEST: label: not 1..128 of printable ASCII'],
      [{ blob: new Uint8Array((1 << 20) + 1) }, 'BAD_REQUEST: blob: more than 1 MiB'],
      [{ uses: [9999] }, 'NO_SUCH_HANDLE: handle 9999: not open'],
    ];
    for (const [change, expected] of installs) {
      const op: Op = { $case: 'installProgram', value: { ...good, ...change } };
      assert.equal(await refusal(runtime, op), expected);
    }
    const patch = (target: Parameters<typeof patched>[1]) => refusal(runtime, patched(8, target));
    assert.equal(
      await patch({ $case: 'map', value: code }),
      `WRONG_KIND: handle ${code}: a code, not a map of the userspace engine`,
    );
    assert.equal(
      await patch({ $case: 'mapValue', value: { map, offset: 0 } }),
      `BAD_REQUEST: patches.map_value: map ${map} is no array of values with a byte 0`,
    );
    assert.match(await patch({ $case: 'mapValue', value: { map: array, offset: 4 } }), /byte 4/);
    assert.equal(await patch({ $case: 'helper', value: 4 }), 'NOT_FOUND: helper 4: there is none');
    for (const [value, expected] of [
      [{ ...SIZES, type: 99 }, 'MAP_REFUSED: map : Invalid argument'],
      [{ ...SIZES, keySize: 0 }, 'MAP_REFUSED: map : Invalid argument'],
      [{ ...SIZES, keySize: 600 }, 'MAP_REFUSED: map : Argument list too long'],
      [{ ...SIZES, maxEntries: 1 << 30 }, 'LIMIT: map : all maps take at most 1 GiB'],
      [{ ...SIZES, name: 'no/slash' }, 'BAD_REQUEST: name: not at most 15 of [A-Za-z0-9_.]'],
    ] as const)
      assert.equal(await refusal(runtime, { $case: 'makeVmMap', value }), expected);
    const update = (key: Uint8Array, values: Uint8Array[], flags = 0n): Op => ({
      $case: 'vmMapOp',
      value: { map, op: { $case: 'update', value: { key, values, flags } } },
    });
    for (const [op, expected] of [
      [update(u64(1n), [u32(1)]), 'BAD_REQUEST: key: 8 bytes, not 4'],
      [update(u32(1), []), 'BAD_REQUEST: values: not 1..4096 of them'],
      [update(u32(1), [u32(1), u32(2)]), 'BAD_REQUEST: values: 2 of them, not 1 or 1'],
      [update(u32(1), [u64(1n)]), 'BAD_REQUEST: values: 8 bytes, not 4'],
      [update(u32(1), [u32(1)], 2n), `MAP_REFUSED: map ${map}: No such file or directory (ENOENT)`],
      [update(u32(1), [u32(1)], 9n), `MAP_REFUSED: map ${map}: Invalid argument (EINVAL)`],
    ] as const)
      assert.equal(await refusal(runtime, op), expected);
    const helperOnly: Op = { $case: 'probe', value: {} };
    assert.equal(await refusal(runtime, helperOnly), 'UNSUPPORTED: op: a runtime does not do this');
    assert.equal(await refusal(runtime, undefined), 'BAD_REQUEST: op: missing or unknown');
    assert.equal(await server.ask('set a 1'), 'ok');
  });

  it('runs out of handles, and of nothing else', async (t) => {
    const { agent, server, runtime } = await useScene(t);
    for (let made = 0; made < 4096; made++) await makeMap(runtime, 'array', 4, 4, 1);
    await assert.rejects(makeMap(runtime, 'array', 4, 4, 1), /more than 4096 handles open/);
    await assert.rejects(mapProgram(runtime, 'exit'), /more than 4096 handles open/);
    await runtime.drop();
    // What a dead agent left is closed.
    const next = await nextWithHooks(agent);
    await makeMap(next, 'array', 4, 4, 1);
    assert.equal(await server.ask('set a 1'), 'ok');
  });

  it('asks for more than there is memory for, and loses its connection', async (t) => {
    const agent = await useAgent(t);
    const server = useServer(t, 'embedded', agent.path);
    const runtime = await nextWithHooks(agent);
    const map = await makeMap(runtime, 'array', 4, 1 << 20, 100);
    const list = { $case: 'list', value: { from: 0, count: 100 } } as const;
    limitMemory(server, 8 << 20);
    const ask = async () => await runtime.request('vmMapOp', { map, op: list });
    await assert.rejects(ask, /the runtime is gone/);
    await server.logged(/out of memory/);
    assert.equal(await server.ask('set a 1'), 'ok');
    await nextWithHooks(agent);
  });

  it('sends requests with flipped bits for a while', async (t) => {
    const { agent, server, runtime: first } = await useScene(t);
    const random = generator(20);
    const seeds: readonly Op[] = [
      HELLO,
      { $case: 'makeVmMap', value: SIZES },
      { $case: 'vmMapOp', value: { map: 1, op: { $case: 'list', value: { from: 0, count: 9 } } } },
      { $case: 'makeSet', value: { name: 'a', values: [1n, 2n, 3n] } },
      { $case: 'close', value: { handle: 1 } },
      { $case: 'readBytes', value: { code: 1, offset: 0, length: 8 } },
      { $case: 'removeProgram', value: { hook: 'request' } },
    ];
    let runtime: Runtime | undefined = first;
    let answered = 0;
    for (let round = 0; round < 2_000; round++) {
      runtime ??= await nextWithHooks(agent);
      const bytes = bytesOf(seeds[random(seeds.length)] ?? HELLO);
      for (let flips = random(4); flips > 0; flips--) {
        const at = random(bytes.length);
        bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
      }
      const outcome = await Promise.race([runtime.raw(bytes), runtime.ended]);
      if (outcome === undefined) runtime = undefined;
      else answered += 1;
    }
    assert.ok(answered > 1_000, `${answered} answered`);
    assert.equal(await server.ask('set a 1'), 'ok');
  });

  it('is not talked to when it belongs to somebody else', { skip: notRoot() }, async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'skein-'));
    t.after(() => rmSync(directory, { recursive: true }));
    chmodSync(directory, 0o777);
    const path = join(directory, 'agent.sock');
    const script = `
      const server = require('node:net').createServer((socket) => socket.on('data', () => {}));
      server.listen(${JSON.stringify(path)}, () => console.log('ready'));`;
    const other = spawn('setpriv', [
      ...['--reuid', '65534', '--regid', '65534', '--clear-groups'],
      ...[process.execPath, '-e', script],
    ]);
    t.after(async () => {
      const ended = once(other, 'close');
      other.kill();
      await ended;
    });
    await once(other.stdout, 'data');
    const server = useServer(t, 'asan/embedded', path);
    await server.logged(/no connection to .*: it belongs to user 65534, who is neither root nor/);
    assert.equal(await server.ask('set a 1'), 'ok');
  });
});

const SIZES = {
  type: MAP_TYPE.hash,
  keySize: 4,
  valueSize: 4,
  maxEntries: 1,
  flags: 0,
  name: '',
};

function notRoot(): string | false {
  return process.geteuid?.() === 0 ? false : 'needs root, to be somebody else';
}

function patched(size: number, target: NonNullable<CodePatch['target']>): Op {
  const patches = [{ offset: 0, target }];
  return { $case: 'mapCode', value: { code: new Uint8Array(size), patches } };
}

/** Field 40, map_code, of empty patches. */
function manyEmpty(count: number): Uint8Array {
  const inner = Buffer.alloc(count * 2);
  for (let at = 0; at < inner.length; at += 2) inner[at] = 0x12;
  const head = [0xc2, 0x02];
  for (let left = inner.length; ; left >>>= 7) {
    head.push(left > 0x7f ? (left & 0x7f) | 0x80 : left);
    if (left <= 0x7f) break;
  }
  return Buffer.concat([Buffer.from(head), inner]);
}

/** The same numbers in every run. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

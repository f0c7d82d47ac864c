import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { Machine } from '#agent/engine/userspace/machine.ts';
import { HookKind } from '#proto/gen/skein/v1/helper.ts';
import { type Server, useServer } from './embedded.ts';
import { install, lookUp, makeMap, mapProgram, u32, u64, update } from './programs.ts';
import { nextWithHooks, type Runtime, type StandInAgent, useAgent } from './stand-in-agent.ts';

const skip = process.arch === 'x64' ? false : 'the JIT is for x86-64';
const MEMORY = HookKind.MEMORY;

interface Scene {
  readonly agent: StandInAgent;
  readonly server: Server;
  readonly runtime: Runtime;
}

/** The example server with its hook "request", connected and greeted. */
async function useScene(t: TestContext): Promise<Scene> {
  const agent = await useAgent(t);
  const server = useServer(t, 'asan/embedded', agent.path);
  return { agent, server, runtime: await nextWithHooks(agent) };
}

describe('a server with a hook', { skip }, () => {
  it('tells what it is, and gives the default verdict while nothing is installed', async (t) => {
    const { server, runtime } = await useScene(t);
    const { name, pid, cpus, hooks, protocolVersion } = await runtime.hello();
    assert.deepEqual([name, pid, protocolVersion], ['embedded', server.child.pid, 1]);
    assert.ok(cpus >= 64);
    assert.deepEqual(hooks, [
      {
        name: 'request',
        kind: MEMORY,
        minimum: 1,
        maximum: 512,
        defaultVerdict: 0,
        program: undefined,
      },
    ]);
    assert.equal(await server.ask('set a 1'), 'ok');
    assert.equal(await server.ask('get a'), '1');
  });

  it('runs what is installed, replaces it and takes it away', async (t) => {
    const { server, runtime } = await useScene(t);
    // Refuses what begins with s.
    const first = await install(
      runtime,
      'request',
      MEMORY,
      `r0 = 0
       r3 = *(u8 *)(r1 +0)
       if r3 != 115 goto end
       r0 = 1
       end: exit`,
    );
    assert.equal(await server.ask('set a 1'), 'refused');
    assert.equal(await server.ask('get a'), 'none');
    await install(runtime, 'request', MEMORY, 'r0 = r2\nexit');
    await runtime.request('close', { handle: first.code });
    assert.equal(await server.ask('get a'), 'refused');
    const request = { hook: 'request' };
    assert.deepEqual(await runtime.request('removeProgram', request), { removed: true });
    assert.deepEqual(await runtime.request('removeProgram', request), { removed: false });
    assert.equal(await server.ask('set a 1'), 'ok');
  });

  it('gives back the memory of what was replaced', async (t) => {
    const { server, runtime } = await useScene(t);
    const mappings = () =>
      readFileSync(`/proc/${server.child.pid}/maps`, 'utf8').split('skein-code').length - 1;
    for (let round = 0; round < 50; round++) {
      const { code } = await install(runtime, 'request', MEMORY, `r0 = ${round % 2}\nexit`);
      await runtime.request('close', { handle: code });
      const answer = await server.ask('get a');
      assert.equal(answer, round % 2 ? 'refused' : 'none');
    }
    // Closed, and still installed.
    assert.equal(mappings(), 2);
    await runtime.request('removeProgram', { hook: 'request' });
    assert.equal(mappings(), 0);
  });

  it('switches a static branch while it is installed', async (t) => {
    const { server, runtime } = await useScene(t);
    const code = await install(
      runtime,
      'request',
      MEMORY,
      'r0 = 0\nnop_or_goto yes\nexit\nyes: r0 = 1\nexit',
    );
    const machine = new Machine(runtime);
    const [at] = code.compiled.sites;
    assert.ok(at);
    for (const to of [true, false, true]) {
      await machine.poke([{ code, at, from: !to, to }], 'store');
      assert.equal(await server.ask('get a'), to ? 'refused' : 'none');
    }
  });

  it('counts in maps, which the agent reads and writes meanwhile', async (t) => {
    const { server, runtime } = await useScene(t);
    const bytes = await makeMap(runtime, 'hash', 4, 8, 10);
    const perThread = await makeMap(runtime, 'perCpuArray', 4, 8, 2);
    const globals = await makeMap(runtime, 'array', 4, 8, 1);
    await install(
      runtime,
      'request',
      MEMORY,
      `r6 = r1
       r7 = r2
       r3 = *(u8 *)(r6 +0)
       *(u32 *)(r10 -4) = r3
       r2 = r10
       r2 += -4
       r1 = map[fd:${bytes}] ll
       call 1
       if r0 != 0 goto there
       *(u64 *)(r10 -16) = r7
       r1 = map[fd:${bytes}] ll
       r2 = r10
       r2 += -4
       r3 = r10
       r3 += -16
       r4 = 1
       call 2
       goto count
       there: lock *(u64 *)(r0 +0) += r7
       count: *(u32 *)(r10 -4) = 1
       r1 = map[fd:${perThread}] ll
       r2 = r10
       r2 += -4
       call 1
       if r0 == 0 goto end
       r1 = *(u64 *)(r0 +0)
       r1 += 1
       *(u64 *)(r0 +0) = r1
       end: r1 = map[fd:${globals}][0]+4 ll
       r0 = *(u32 *)(r1 +0)
       exit`,
    );
    assert.equal(await server.ask('get a'), 'none');
    assert.equal(await server.ask('get ab'), 'none');
    assert.equal(await server.ask('set a 1'), 'ok');
    assert.deepEqual((await lookUp(runtime, bytes, u32(103)))?.values, [u64(13n)]);
    assert.deepEqual((await lookUp(runtime, bytes, u32(115)))?.values, [u64(8n)]);
    assert.equal(await lookUp(runtime, bytes, u32(1)), undefined);
    const slots = (await lookUp(runtime, perThread, u32(1)))?.values ?? [];
    assert.equal(slots.length, (await runtime.hello()).cpus);
    const sum = slots.reduce((total, each) => total + Buffer.from(each).readBigUInt64LE(), 0n);
    assert.equal(sum, 3n);
    const variables = [{ map: globals, offset: 4, value: -1 }];
    const written = await runtime.request('writeVariables', { variables });
    assert.deepEqual(written.values, [-1]);
    assert.equal(await server.ask('get a'), 'refused');
    const read = await runtime.request('readVariables', { variables });
    assert.deepEqual(read.values, [-1]);
    const list = { $case: 'list', value: { from: 0, count: 1 } } as const;
    const page = await runtime.request('vmMapOp', { map: bytes, op: list });
    assert.equal(page.entries.length, 1);
    const rest = { $case: 'list', value: { from: page.next, count: 9 } } as const;
    const end = await runtime.request('vmMapOp', { map: bytes, op: rest });
    assert.deepEqual([end.entries.length, end.next], [1, 0]);
  });

  it('hands records of a ring buffer over', async (t) => {
    const { server, runtime } = await useScene(t);
    const ring = await makeMap(runtime, 'ringbuf', 0, 0, 4096);
    await install(
      runtime,
      'request',
      MEMORY,
      `r6 = r1
       r1 = map[fd:${ring}] ll
       r2 = 4
       r3 = 0
       call 131
       if r0 == 0 goto full
       r3 = *(u8 *)(r6 +0)
       *(u32 *)(r0 +0) = r3
       r1 = r0
       r2 = 0
       call 132
       full: r0 = 0
       exit`,
    );
    await server.ask('get a');
    await server.ask('set a 1');
    const op = { $case: 'readRing', value: { count: 10 } } as const;
    const { records, lost } = await runtime.request('vmMapOp', { map: ring, op });
    assert.deepEqual([records, lost], [[u32(103), u32(115)], 0n]);
    assert.deepEqual((await runtime.request('vmMapOp', { map: ring, op })).records, []);
  });

  it('follows 33 tail calls, from functions too, and no more', async (t) => {
    const { server, runtime } = await useScene(t);
    const programs = await makeMap(runtime, 'progArray', 4, 4, 2);
    const runs = await makeMap(runtime, 'array', 4, 8, 1);
    const itself = await install(
      runtime,
      'request',
      MEMORY,
      `r6 = r1
       r7 = map[fd:${runs}][0]+0 ll
       r1 = 1
       lock *(u64 *)(r7 +0) += r1
       call f
       if r0 == 42 goto end
       r0 = 7
       end: exit
       f: r1 = r6
       r2 = map[fd:${programs}] ll
       r3 = 0
       call 12
       r0 = 0
       exit`,
    );
    const count = async () =>
      Buffer.from((await lookUp(runtime, runs, u32(0)))?.values[0] ?? []).readBigUInt64LE();
    // Empty: goes on behind the call.
    assert.equal(await server.ask('get a'), 'refused');
    assert.equal(await count(), 1n);
    await update(runtime, programs, u32(0), u32(itself.code));
    assert.equal(await server.ask('get a'), 'refused');
    assert.equal(await count(), 35n);
    const other = await mapProgram(runtime, 'r0 = 42\nexit');
    await update(runtime, programs, u32(0), u32(other.code));
    // What the array holds stays, closed or not.
    await runtime.request('close', { handle: other.code });
    assert.equal(await server.ask('get a'), 'refused');
    assert.equal(await count(), 36n);
    assert.deepEqual((await lookUp(runtime, programs, u32(0)))?.values, [u32(other.code)]);
    const op = { $case: 'delete', value: { key: u32(0) } } as const;
    await runtime.request('vmMapOp', { map: programs, op });
    assert.equal(await lookUp(runtime, programs, u32(0)), undefined);
  });

  it('keeps a set of 8-byte values, for good', async (t) => {
    const { runtime } = await useScene(t);
    const values = [0n, 1n, (1n << 64n) - 1n];
    const { map, info } = await runtime.request('makeSet', { name: 'sites', values });
    assert.equal(info?.maxEntries, 3);
    assert.deepEqual((await lookUp(runtime, map, u64(1n)))?.values, [u32(1)]);
    await assert.rejects(update(runtime, map, u64(1n), u32(0)), /EPERM/);
    await assert.rejects(runtime.request('makeSet', { name: 'twice', values: [1n, 1n] }), {
      message: 'values: 0x1 twice',
    });
  });
});

describe('without an agent', { skip }, () => {
  it('runs on, and tells the next agent what it runs', async (t) => {
    const { agent, server, runtime } = await useScene(t);
    const { instance } = await runtime.hello();
    const map = await makeMap(runtime, 'array', 4, 4, 1);
    const kept = await makeMap(runtime, 'array', 4, 4, 1);
    const lost = await makeMap(runtime, 'array', 4, 4, 1);
    const blob = Uint8Array.of(1, 2, 3);
    const code = await install(
      runtime,
      'request',
      MEMORY,
      `r1 = map[fd:${map}][0]+0 ll\nr0 = *(u32 *)(r1 +0)\nexit`,
      { label: 'guard/one', blob, uses: [kept] },
    );
    await update(runtime, map, u32(0), u32(1));
    await agent.stop();
    assert.equal(await server.ask('get a'), 'refused');
    await server.logged(/the agent ended it/);
    await agent.start();
    const again = await agent.next();
    const hello = await again.hello();
    assert.equal(hello.instance, instance);
    assert.deepEqual(hello.hooks[0]?.program, {
      label: 'guard/one',
      code: code.code,
      entry: 0,
      blob,
      uses: [kept],
    });
    await update(again, map, u32(0), u32(0));
    assert.equal(await server.ask('get a'), 'none');
    await update(again, kept, u32(0), u32(0));
    await assert.rejects(update(again, lost, u32(0), u32(0)), /not open/);
  });

  it('starts before the agent does', async (t) => {
    const agent = await useAgent(t);
    await agent.stop();
    const server = useServer(t, 'asan/embedded', agent.path);
    assert.equal(await server.ask('set a 1'), 'ok');
    await server.logged(/no connection to .*: (No such file|Connection refused)/);
    await agent.start();
    await nextWithHooks(agent);
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assemble } from '#agent/engine/userspace/isa/assemble.ts';
import { compile } from '#agent/engine/userspace/jit/compile.ts';
import type { CodePatch } from '#proto/gen/skein/v1/helper.ts';
import type { Helper } from './helper.ts';
import { ASAN_HELPER_PATH, HELPER_PATH, useHelper } from './test-support.ts';

const HASH = 1;
const NOWHERE = new Uint8Array(8);

/** Puts the length of the memory into entry 7 of the map, and gives back what the update gave. */
const COUNT = (map: number) => `
  *(u64 *)(r10 -16) = r2
  *(u32 *)(r10 -4) = 7
  r1 = map[fd:${map}] ll
  r2 = r10
  r2 += -4
  r3 = r10
  r3 += -16
  r4 = 0
  call 2
  exit`;

async function mapCode(helper: Helper, source: string): Promise<number> {
  const { code, patches } = compile(assemble(source), []);
  const request = patches.map(({ offset, target }): CodePatch => {
    if (target.kind === 'map') return { offset, target: { $case: 'map', value: target.number } };
    if (target.kind === 'helper') return { offset, target: { $case: 'helper', value: target.id } };
    throw new Error(`no ${target.kind} here`);
  });
  return (await helper.request('mapCode', { code, patches: request })).code;
}

for (const path of [HELPER_PATH, ASAN_HELPER_PATH]) {
  const skip = process.arch === 'x64' ? false : 'the JIT is for x86-64';
  describe(`maps of the userspace engine, through ${path.split('/').at(-1)}`, { skip }, () => {
    it('are written by programs that run there, and stay while code uses them', async (t) => {
      const helper = await useHelper(t, { path });
      const spec = { type: HASH, keySize: 4, valueSize: 8, maxEntries: 9, flags: 0, name: 'sums' };
      const { map } = await helper.request('makeVmMap', spec);
      const code = await mapCode(helper, COUNT(map));
      const run = { $case: 'code', value: code } as const;
      const request = { engine: run, memory: NOWHERE, repeat: 3, timeLimitMs: 5_000 };
      assert.equal((await helper.request('runProgram', request)).returnValue, 0n);
      const key = new Uint8Array(Uint32Array.of(7).buffer);
      const op = { $case: 'lookup', value: { key } } as const;
      const { entries } = await helper.request('vmMapOp', { map, op });
      assert.deepEqual(entries[0]?.values, [new Uint8Array(BigUint64Array.of(8n).buffer)]);
      await helper.request('close', { handle: map });
      await assert.rejects(helper.request('vmMapOp', { map, op }), /not open/);
      assert.equal((await helper.request('runProgram', request)).returnValue, 0n);
      await helper.request('close', { handle: code });
    });

    it('have no hooks', async (t) => {
      const helper = await useHelper(t, { path });
      const message = 'op: only a runtime with hooks does this';
      await assert.rejects(helper.request('runtimeHello', { protocolVersion: 1 }), { message });
      await assert.rejects(helper.request('removeProgram', { hook: 'a' }), { message });
    });
  });
}

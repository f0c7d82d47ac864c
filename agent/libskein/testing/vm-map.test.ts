import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ASAN_VM_PATH, useVm, VM_PATH } from '#agent/helper/testing/servers.ts';
import { mapProgram } from './programs.ts';

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

for (const path of [VM_PATH, ASAN_VM_PATH]) {
  const skip = process.arch === 'x64' ? false : 'the JIT is for x86-64';
  describe(`maps of the userspace engine, through ${path.split('build/').at(-1)}`, { skip }, () => {
    it('are written by programs that run there, and stay while code uses them', async (t) => {
      const vm = await useVm(t, path);
      const spec = { type: HASH, keySize: 4, valueSize: 8, maxEntries: 9, flags: 0, name: 'sums' };
      const { map } = await vm.request('makeVmMap', spec);
      const { code } = await mapProgram(vm, COUNT(map));
      const run = { $case: 'code', value: code } as const;
      const request = { engine: run, memory: NOWHERE, repeat: 3, timeLimitMs: 5_000 };
      assert.equal((await vm.request('runProgram', request)).returnValue, 0n);
      const key = new Uint8Array(Uint32Array.of(7).buffer);
      const op = { $case: 'lookup', value: { key } } as const;
      const { entries } = await vm.request('vmMapOp', { map, op });
      assert.deepEqual(entries[0]?.values, [new Uint8Array(BigUint64Array.of(8n).buffer)]);
      await vm.request('close', { handle: map });
      await assert.rejects(vm.request('vmMapOp', { map, op }), /not open/);
      assert.equal((await vm.request('runProgram', request)).returnValue, 0n);
      await vm.request('close', { handle: code });
    });
  });
}

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { CALL } from '#agent/object/instructions.ts';
import { ASAN_VM_PATH, useVm } from '../../../helper/testing/servers.ts';
import { assemble } from '../isa/assemble.ts';
import { markedSites } from '../isa/sites.ts';
import { Machine } from '../machine.ts';
import { compile } from './compile.ts';

const ARRAY = 2;
const skip = process.arch === 'x64' ? false : 'the JIT is for x86-64';

/** Adds 1 to what the array has at the index in the first 4 bytes of the memory. r0: the sum, or -1 for no such entry. */
const COUNT = (load: string) => `
  r6 = r1
  r2 = r1
  ${load}
  call 1
  if r0 == 0 goto none
  r1 = *(u32 *)(r0 +0)
  r1 += 1
  *(u32 *)(r0 +0) = r1
  r0 = r1
  exit
  none: r0 = -1
  exit`;

const PLAIN = 'r1 = map[fd:0] ll';
/** Here the instructions before the call do not say which map it is. */
const JUMPED_OVER = 'r1 = map[fd:0] ll\nif r6 != 0 goto +2\nr1 = map[fd:0] ll';

const calls = (source: string, maps: Parameters<typeof compile>[2]) =>
  compile(assemble(source), [], maps).patches.flatMap(({ target }) =>
    target.kind === 'helper' ? target.id : [],
  );

it('a lookup in an array is no call', () => {
  const array = { type: 'array', valueSize: 8, maxEntries: 4 } as const;
  assert.deepEqual(calls(COUNT(PLAIN), [array]), []);
  assert.deepEqual(calls(COUNT(PLAIN), []), [1]);
  assert.deepEqual(calls(COUNT(PLAIN), [{ ...array, type: 'percpu-array' }]), [1]);
  assert.deepEqual(calls(COUNT(PLAIN), [{ ...array, type: 'hash' }]), [1]);
  assert.deepEqual(calls(COUNT(JUMPED_OVER), [array]), [1]);
  assert.deepEqual(calls(COUNT(`${PLAIN}\nnop_or_goto none`), [array]), [1]);
  assert.deepEqual(calls(COUNT('r1 = map[fd:0][0]+0 ll'), [array]), [1]);
  assert.deepEqual(calls('r1 = map[fd:0] ll\ncall 2\nexit', [array]), [2]);
});

it('is one where a site goes to it, whatever its jump says', () => {
  const slots = assemble(COUNT(`nop_or_goto none\n${PLAIN}`));
  const sites = markedSites(slots);
  const maps = [{ type: 'array', valueSize: 8, maxEntries: 4 }] as const;
  const helpers = (target: number) =>
    compile(
      slots,
      sites.map((site) => ({ ...site, target })),
      maps,
    ).patches.filter((patch) => patch.target.kind === 'helper');
  const call = slots.findIndex(({ opcode }) => opcode === CALL);
  assert.deepEqual([helpers(call).length, helpers(call + 1).length], [1, 0]);
});

it('finds what a call finds', { skip }, async (t) => {
  const vm = await useVm(t, ASAN_VM_PATH);
  const machine = new Machine(vm);
  const slots = assemble(COUNT(PLAIN));
  for (const valueSize of [4, 8, 12, 16, 100, 4096]) {
    for (const maxEntries of [1, 2, 127, 128, 129, 300]) {
      const spec = { type: ARRAY, keySize: 4, valueSize, maxEntries, flags: 0, name: '' };
      const { map } = await vm.request('makeVmMap', spec);
      const known = [{ type: 'array', valueSize, maxEntries }] as const;
      const inline = await machine.map(compile(slots, [], known), [map]);
      const called = await machine.map(compile(slots, []), [map]);
      for (const index of [
        0,
        1,
        maxEntries - 1,
        maxEntries,
        0x7fff_ffff,
        0x8000_0000,
        2 ** 32 - 1,
      ]) {
        const memory = new Uint8Array(Uint32Array.of(index).buffer);
        const run = async (code: typeof inline) =>
          (await machine.run(code, slots, { memory, repeat: 1, timeLimitMs: 5_000 })).value;
        const first = await run(called);
        const expected = index < maxEntries ? first + 1n : 2n ** 64n - 1n;
        assert.equal(await run(inline), expected, `${valueSize} bytes, ${index} of ${maxEntries}`);
      }
      for (const { code } of [inline, called]) await vm.request('close', { handle: code });
      await vm.request('close', { handle: map });
    }
  }
});

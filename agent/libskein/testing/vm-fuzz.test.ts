/** Mutated requests, on a skein-vm built with sanitizers that holds code and a map. */
import { it } from 'node:test';
import type { Op } from '#agent/helper/helper.ts';
import { fuzz } from '#agent/helper/testing/fuzz-requests.ts';
import { converse, HELLO } from '#agent/helper/testing/raw-helper.ts';
import { ASAN_VM_PATH } from '#agent/helper/testing/servers.ts';

const skip = process.arch === 'x64' ? false : 'the code is x86-64';

it('never crashes on mutated requests', { skip }, async () => {
  await fuzz({
    count: 2_000,
    prelude: [HELLO, MAP, CODE],
    seeds: fuzzSeeds(),
    converse: (input) => converse(ASAN_VM_PATH, [], input),
  });
});

const MAP: Op = {
  $case: 'makeVmMap',
  value: { type: 1, keySize: 4, valueSize: 8, maxEntries: 9, flags: 0, name: 'fuzz' },
};
const CODE: Op = {
  $case: 'mapCode',
  value: { code: Buffer.from('0f1f440000c30000000000000000', 'hex'), patches: [] },
};

const POKE = { code: 2, offset: 0, expected: 0x441f0fn, replacement: 0x441f0fn };

/** Handle 1 is the map, 2 the code. No request runs machine code: what is mutated could do anything. */
function fuzzSeeds(): Op[] {
  const key = Buffer.alloc(4, 1);
  const value = Buffer.alloc(8, 2);
  return [
    MAP,
    { $case: 'vmMapOp', value: { map: 1, op: { $case: 'lookup', value: { key } } } },
    {
      $case: 'vmMapOp',
      value: { map: 1, op: { $case: 'update', value: { key, values: [value], flags: 0n } } },
    },
    { $case: 'vmMapOp', value: { map: 1, op: { $case: 'delete', value: { key } } } },
    { $case: 'vmMapOp', value: { map: 1, op: { $case: 'list', value: { from: 0, count: 9 } } } },
    {
      $case: 'mapCode',
      value: {
        code: Buffer.from('0f1f440000c30000000000000000', 'hex'),
        patches: [
          { offset: 6, target: { $case: 'helper', value: 7 } },
          { offset: 6, target: { $case: 'codeOffset', value: 5 } },
        ],
      },
    },
    { $case: 'pokeCode', value: { pokes: [{ ...POKE, replacement: 0x1e9n }], protocol: 0 } },
    { $case: 'pokeCode', value: { pokes: [POKE], protocol: 1 } },
    { $case: 'readBytes', value: { code: 2, offset: 1, length: 4 } },
    interpret('b700000005000000050003000100000095000000000000009500000000000000'),
    interpret('c3120000010000001f2100000000000085000000070000009500000000000000'),
    interpret('7b1af8ff0000000079a0f8ff0000000085100000000000009500000000000000'),
  ];
}

/** Instructions as hex, on 16 bytes of memory, with a site at the second one. */
const interpret = (hex: string): Op => ({
  $case: 'runProgram',
  value: {
    engine: {
      $case: 'interpreted',
      value: {
        instructions: Buffer.from(hex, 'hex'),
        sites: [{ start: 1, instruction: 1, target: 3, taken: true }],
      },
    },
    memory: Buffer.alloc(16, 7),
    repeat: 2,
    timeLimitMs: 20,
  },
});

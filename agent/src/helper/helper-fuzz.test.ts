/** Mutated requests, on a helper built with sanitizers that holds real programs and maps. */
import { it } from 'node:test';
import type { Op } from './helper.ts';
import { fuzz } from './testing/fuzz-requests.ts';
import { converseHelper, HELLO } from './testing/raw-helper.ts';
import { ASAN_HELPER_PATH, kernelSkip, makePinRoot, testObject } from './testing/servers.ts';

it('never crashes on mutated requests', { skip: kernelSkip }, async (t) => {
  const pinRoot = makePinRoot(t);
  await fuzz({
    count: 2_000,
    prelude: [HELLO, loadTiny(['drop', 'tc_next']), dispatcher(1)],
    seeds: fuzzSeeds(),
    converse: (input) => converseHelper(ASAN_HELPER_PATH, input, pinRoot),
  });
});

const loadTiny = (programs: string[]): Op => ({
  $case: 'load',
  value: { object: testObject('tiny'), name: 'tiny', programs, reuse: [] },
});
const dispatcher = (program: number): Op => ({ $case: 'makeDispatcher', value: { program } });

/**
 * Handles: 1 and 2 programs, 3 to 7 maps, 8 a dispatcher, 9 its slot. No device or cgroup named exists. Test
 * runs are of the tc program: those of XDP wait for RCU.
 */
function fuzzSeeds(): Op[] {
  const variables = [
    { map: 5, offset: 4, value: -1 },
    { map: 5, offset: 8, value: 5 },
  ];
  return [
    {
      $case: 'load',
      value: {
        object: Buffer.alloc(80, 1),
        name: 'x',
        programs: ['drop'],
        reuse: [{ name: 'm', map: 5 }],
      },
    },
    dispatcher(2),
    {
      $case: 'attach',
      value: {
        program: 8,
        hook: { $case: 'xdp', value: { device: 'nosuch0', netns: '/run/netns/nosuch', mode: 1 } },
      },
    },
    {
      $case: 'attach',
      value: {
        program: 8,
        hook: { $case: 'tc', value: { device: 'nosuch0', netns: '', direction: 1 } },
      },
    },
    {
      $case: 'attach',
      value: { program: 1, hook: { $case: 'cgroup', value: { path: '/nosuch/cgroup' } } },
    },
    {
      $case: 'attach',
      value: {
        program: 1,
        hook: { $case: 'tracepoint', value: { category: 'nosuch', name: 'nosuch' } },
      },
    },
    { $case: 'setSlot', value: { slot: 9, program: 1 } },
    { $case: 'readSlot', value: { slot: 9 } },
    { $case: 'writeVariables', value: { variables } },
    { $case: 'readVariables', value: { variables } },
    { $case: 'testRun', value: { program: 2, dataIn: Buffer.alloc(64), repeat: 3 } },
    { $case: 'pin', value: { handle: 9, path: 'fuzz/a' } },
    { $case: 'adopt', value: { path: 'fuzz/a' } },
    { $case: 'unpin', value: { path: 'fuzz/a' } },
    { $case: 'listPins', value: { path: 'fuzz' } },
    { $case: 'detach', value: { link: 10 } },
    { $case: 'close', value: { handle: 200 } },
    { $case: 'inspect', value: { handle: 5 } },
    { $case: 'readCode', value: { program: 1 } },
    {
      $case: 'readCounters',
      value: {
        map: 4,
        counters: [
          { index: 2, offset: 0, size: 8 },
          { index: 1, offset: 8, size: 4 },
        ],
      },
    },
    { $case: 'makeSet', value: { name: 'fuzz', values: [1n, 1n << 63n] } },
  ];
}

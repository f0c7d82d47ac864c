/** Mutated requests, on a helper built with sanitizers that holds real programs and maps. */
import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import { HelperRequest } from '#proto/gen/skein/v1/helper.ts';
import { encodeFrame } from './framing.ts';
import type { Op } from './helper.ts';
import { converse, encode, frames, HELLO, type Outcome } from './raw-helper.ts';
import { ASAN_HELPER_PATH, kernelSkip, makePinRoot, testObject } from './test-support.ts';

it('never crashes on mutated requests', { skip: kernelSkip }, async (t) => {
  await fuzz(t, 2_000);
});

/** Changes one to three bytes of each request. */
async function fuzz(t: TestContext, count: number): Promise<void> {
  const random = mulberry32(0x5eed);
  const below = (limit: number) => Math.floor(random() * limit);
  const pinRoot = makePinRoot(t);
  const prelude = [HELLO, loadTiny(['drop', 'tc_next']), dispatcher(1)];
  const seeds = fuzzSeeds().map((op) => encode(op, 9n));
  const malformed: Uint8Array[] = [];
  const wellFormed: Uint8Array[] = [];
  for (let made = 0; wellFormed.length < count; made += 1) {
    const payload = Uint8Array.from(seeds[made % seeds.length] ?? []);
    for (let changes = 1 + below(3); changes > 0; changes -= 1) {
      payload[below(payload.length)] = below(256);
    }
    (isWellFormed(payload) ? wellFormed : malformed).push(payload);
  }
  // A malformed frame ends the helper: those cost a process each, so only some are tried.
  for (const payload of malformed.slice(0, 25)) {
    const input = Buffer.concat([frames(HELLO), encodeFrame(payload)]);
    assertSound(await converse(ASAN_HELPER_PATH, input, pinRoot));
  }
  for (let done = 0; done < wellFormed.length; ) {
    const input = [frames(...prelude), ...wellFormed.slice(done).map(encodeFrame)];
    const outcome = await converse(ASAN_HELPER_PATH, Buffer.concat(input), pinRoot);
    assertSound(outcome);
    assert.equal(outcome.responses[prelude.length - 1]?.result?.$case, 'makeDispatcher');
    // Where protobuf-c is the stricter one, go on behind the frame that ended it.
    done += outcome.responses.length - prelude.length + 1;
  }
}

function assertSound(outcome: Outcome): void {
  assert.ok(outcome.code === 0 || outcome.code === 1, `code ${outcome.code}: ${outcome.stderr}`);
}

/** Whether protobuf-c will take it too, which minds fields of the wrong wire type. */
function isWellFormed(payload: Uint8Array): boolean {
  try {
    const again = HelperRequest.encode(HelperRequest.decode(payload)).finish();
    return again.length === payload.length;
  } catch {
    return false;
  }
}

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
    // No code has handle 9 for long: what is mutated is never run as machine code.
    {
      $case: 'pokeCode',
      value: {
        pokes: [{ code: 9, offset: 0, expected: 0x441f0fn, replacement: 0x1_0000_00e9n }],
        protocol: 1,
      },
    },
    { $case: 'readBytes', value: { code: 9, offset: 1, length: 4 } },
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

/** A small seeded generator: a failure can be repeated. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

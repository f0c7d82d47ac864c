/** The helper as a stranger sees it: raw bytes in, raw bytes out. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type {
  CodePoke,
  CounterPlace,
  HelperResponse,
  InterpretedProgram,
  Variable,
} from '#proto/gen/skein/v1/helper.ts';
import { encodeFrame } from './framing.ts';
import type { Op } from './helper.ts';
import { converse, frames, HELLO } from './raw-helper.ts';
import { HELPER_PATH } from './test-support.ts';

function errorOf(response: HelperResponse | undefined) {
  if (response?.result?.$case !== 'error') assert.fail(`${response?.result?.$case} is no error`);
  const { code, message } = response.result.value;
  return { code, message };
}

describe('helper protocol', () => {
  it('ends with code 0 at end of file', async () => {
    assert.deepEqual(await converse(HELPER_PATH, Buffer.of()), {
      responses: [],
      code: 0,
      stderr: '',
    });
  });

  it('wants hello first, and of its version', async () => {
    const other: Op = { $case: 'hello', value: { protocolVersion: 2 } };
    const probe: Op = { $case: 'probe', value: {} };
    const { responses, code } = await converse(HELPER_PATH, frames(probe, other, probe, HELLO));
    const refusal = {
      code: 'BAD_REQUEST',
      message: 'op: the first request must be hello',
    };
    assert.deepEqual(errorOf(responses[0]), refusal);
    assert.deepEqual(errorOf(responses[1]), {
      code: 'BAD_REQUEST',
      message: 'protocol_version: 2, not 1',
    });
    assert.deepEqual(errorOf(responses[2]), refusal);
    assert.equal(responses[3]?.result?.$case, 'hello');
    assert.deepEqual(
      responses.map((response) => response.id),
      [1n, 2n, 3n, 4n],
    );
    assert.equal(code, 0);
  });

  const hopeless: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ['a head cut short', Buffer.of(1, 0), /inside a frame/],
    ['a payload cut short', Buffer.of(9, 0, 0, 0, 8), /inside a frame/],
    ['an oversize frame', Buffer.of(1, 0, 0, 4), /larger than 64 MiB/],
    ['undecodable bytes', Buffer.of(2, 0, 0, 0, 0xff, 0xff), /not a HelperRequest/],
  ];
  for (const [what, bytes, stderr] of hopeless) {
    it(`ends with one line and code 1 at ${what}`, async () => {
      const outcome = await converse(HELPER_PATH, Buffer.concat([frames(HELLO), bytes]));
      assert.equal(outcome.responses.length, 1);
      assert.equal(outcome.code, 1);
      assert.match(outcome.stderr, stderr);
      assert.equal(outcome.stderr.split('\n').length, 2);
    });
  }

  it('bounds the memory that a small message can ask for', async () => {
    // 8 million empty sub-messages: 16 MiB on the wire, gigabytes when decoded without a budget.
    const empties = Buffer.alloc(16 << 20, Buffer.of(0x0a, 0));
    const head = Buffer.of(0x08, 1, 0x52, 0x80, 0x80, 0x80, 0x08);
    const outcome = await converse(
      HELPER_PATH,
      Buffer.concat([frames(HELLO), encodeFrame(Buffer.concat([head, empties]))]),
    );
    assert.match(outcome.stderr, /not a HelperRequest/);
    assert.equal(outcome.code, 1);
  });

  it('names the field of every bad request', async () => {
    const load = { object: Buffer.of(1), name: 'a', programs: ['p'], reuse: [] };
    const variable = (changes: Partial<Variable>): Variable[] => [
      { map: 1, offset: 0, value: 0, ...changes },
    ];
    const readCounters = (changes: Partial<CounterPlace>, map = 1, count = 1): Op => ({
      $case: 'readCounters',
      value: { map, counters: Array(count).fill({ index: 0, offset: 0, size: 8, ...changes }) },
    });
    const xdp = { device: 'd', netns: '', mode: 0 } as const;
    const pokes = (changes: Partial<CodePoke>): CodePoke[] => [
      { code: 1, offset: 0, expected: 0n, replacement: 0n, ...changes },
    ];
    const site = { start: 0, instruction: 0, target: 0, taken: true };
    const interpreted = { instructions: Buffer.alloc(16), sites: [site] };
    const run = {
      engine: { $case: 'interpreted', value: interpreted } as const,
      memory: Buffer.of(),
      repeat: 1,
      timeLimitMs: 10,
    };
    const interpret = (changes: Partial<InterpretedProgram>): Op => ({
      $case: 'runProgram',
      value: { ...run, engine: { $case: 'interpreted', value: { ...interpreted, ...changes } } },
    });
    const bad: readonly (readonly [Op | undefined, string])[] = [
      [undefined, 'op'],
      [{ $case: 'load', value: { ...load, object: Buffer.of() } }, 'object'],
      [{ $case: 'load', value: { ...load, name: 'a.b' } }, 'name'],
      [{ $case: 'load', value: { ...load, name: 'sixteen_letters_' } }, 'name'],
      [{ $case: 'load', value: { ...load, programs: [] } }, 'programs'],
      [{ $case: 'load', value: { ...load, programs: ['p', 'p'] } }, 'programs'],
      [{ $case: 'load', value: { ...load, programs: ['a b'] } }, 'programs'],
      [{ $case: 'load', value: { ...load, reuse: [{ name: '', map: 1 }] } }, 'reuse.name'],
      [{ $case: 'load', value: { ...load, reuse: [{ name: 'm', map: 0 }] } }, 'reuse.map'],
      [{ $case: 'makeDispatcher', value: { program: 0 } }, 'program'],
      [{ $case: 'attach', value: { program: 0, hook: undefined } }, 'program'],
      [{ $case: 'attach', value: { program: 1, hook: undefined } }, 'hook'],
      ...(['', 'a/b', 'a b', 'sixteen_letters_', '..'] as const).map(
        (device) =>
          [
            {
              $case: 'attach',
              value: { program: 1, hook: { $case: 'xdp', value: { ...xdp, device } } },
            },
            'device',
          ] as const,
      ),
      [
        {
          $case: 'attach',
          value: { program: 1, hook: { $case: 'xdp', value: { ...xdp, netns: 'a' } } },
        },
        'netns',
      ],
      [
        {
          $case: 'attach',
          value: {
            program: 1,
            hook: { $case: 'tc', value: { device: 'd', netns: '', direction: 0 } },
          },
        },
        'direction',
      ],
      [
        {
          $case: 'attach',
          value: { program: 1, hook: { $case: 'cgroup', value: { path: 'x' } } },
        },
        'path',
      ],
      [
        {
          $case: 'attach',
          value: { program: 1, hook: { $case: 'rawTracepoint', value: { name: '../x' } } },
        },
        'name',
      ],
      [
        {
          $case: 'attach',
          value: {
            program: 1,
            hook: { $case: 'tracepoint', value: { category: '..', name: 'x' } },
          },
        },
        'category',
      ],
      [{ $case: 'setSlot', value: { slot: 0, program: 1 } }, 'slot'],
      [{ $case: 'setSlot', value: { slot: 1, program: 0 } }, 'program'],
      [{ $case: 'readSlot', value: { slot: 0 } }, 'slot'],
      [{ $case: 'writeVariables', value: { variables: [] } }, 'variables'],
      [{ $case: 'writeVariables', value: { variables: variable({ map: 0 }) } }, 'variables.map'],
      [
        { $case: 'readVariables', value: { variables: variable({ offset: 2 }) } },
        'variables.offset',
      ],
      [
        { $case: 'testRun', value: { program: 1, dataIn: Buffer.of(), repeat: 1_000_001 } },
        'repeat',
      ],
      ...['', '/a', 'a/', 'a//b', '..', 'a.b', 'a/../b', 'x'.repeat(65), 'a/b/c/d/e/f/g/h/i'].map(
        (path) => [{ $case: 'pin', value: { handle: 1, path } }, 'path'] as const,
      ),
      [{ $case: 'adopt', value: { path: '' } }, 'path'],
      [{ $case: 'unpin', value: { path: '../x' } }, 'path'],
      [{ $case: 'listPins', value: { path: '..' } }, 'path'],
      [{ $case: 'detach', value: { link: 0 } }, 'link'],
      [{ $case: 'close', value: { handle: 0 } }, 'handle'],
      [{ $case: 'inspect', value: { handle: 0 } }, 'handle'],
      [{ $case: 'readCode', value: { program: 0 } }, 'program'],
      [{ $case: 'makeSet', value: { name: '', values: [] } }, 'name'],
      [{ $case: 'makeSet', value: { name: 'sixteen_letters_', values: [] } }, 'name'],
      [{ $case: 'makeSet', value: { name: 's', values: Array(65_537).fill(1n) } }, 'values'],
      [readCounters({}, 0), 'map'],
      [readCounters({}, 1, 0), 'counters'],
      [readCounters({}, 1, 16_385), 'counters'],
      [readCounters({ size: 2 }), 'counters.size'],
      [readCounters({ offset: 4 }), 'counters.offset'],
      [{ $case: 'mapCode', value: { code: Buffer.of(), patches: [] } }, 'code'],
      [
        {
          $case: 'mapCode',
          value: {
            code: Buffer.alloc(8),
            patches: [{ offset: 1, target: { $case: 'helper', value: 7 } }],
          },
        },
        'patches.offset',
      ],
      [
        {
          $case: 'mapCode',
          value: {
            code: Buffer.alloc(8),
            patches: [{ offset: 0, target: { $case: 'codeOffset', value: 8 } }],
          },
        },
        'patches.code_offset',
      ],
      [
        {
          $case: 'mapCode',
          value: { code: Buffer.alloc(8), patches: [{ offset: 0, target: undefined }] },
        },
        'patches.target',
      ],
      [{ $case: 'pokeCode', value: { pokes: [], protocol: 0 } }, 'pokes'],
      [{ $case: 'pokeCode', value: { pokes: pokes({ code: 0 }), protocol: 0 } }, 'pokes.code'],
      [{ $case: 'pokeCode', value: { pokes: pokes({ offset: 4 }), protocol: 0 } }, 'pokes.offset'],
      [{ $case: 'readBytes', value: { code: 0, offset: 0, length: 1 } }, 'code'],
      [{ $case: 'readBytes', value: { code: 1, offset: 0, length: 1 << 25 } }, 'length'],
      [{ $case: 'runProgram', value: { ...run, engine: undefined } }, 'engine'],
      [{ $case: 'runProgram', value: { ...run, timeLimitMs: 0 } }, 'time_limit_ms'],
      [{ $case: 'runProgram', value: { ...run, timeLimitMs: 60_001 } }, 'time_limit_ms'],
      [{ $case: 'runProgram', value: { ...run, repeat: 100_000_001 } }, 'repeat'],
      [{ $case: 'runProgram', value: { ...run, memory: Buffer.alloc((1 << 20) + 1) } }, 'memory'],
      [interpret({ instructions: Buffer.alloc(12) }), 'instructions'],
      [interpret({ sites: [{ ...site, start: 2 }] }), 'sites.instruction'],
      [interpret({ sites: [{ ...site, instruction: 2 }] }), 'sites.instruction'],
      [interpret({ sites: [{ ...site, target: 2 }] }), 'sites.target'],
    ];
    const { responses } = await converse(HELPER_PATH, frames(HELLO, ...bad.map(([op]) => op)));
    assert.deepEqual(
      responses.slice(1).map((response) => {
        const { code, message } = errorOf(response);
        return [code, message.split(':')[0]];
      }),
      bad.map(([, field]) => ['BAD_REQUEST', field]),
    );
  });

  it('knows no handle that it did not give out', async () => {
    const { responses } = await converse(
      HELPER_PATH,
      frames(HELLO, { $case: 'inspect', value: { handle: 4_000_000_000 } }),
    );
    assert.equal(errorOf(responses[1]).code, 'NO_SUCH_HANDLE');
  });
});

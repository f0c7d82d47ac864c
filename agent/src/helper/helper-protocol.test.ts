/** The helper as a stranger sees it: raw bytes in, raw bytes out. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type CounterPlace, HookKind, type Variable } from '#proto/gen/skein/v1/helper.ts';
import { encodeFrame } from './framing.ts';
import type { Op } from './helper.ts';
import { converseHelper, errorOf, frames, HELLO } from './testing/raw-helper.ts';
import { HELPER_PATH } from './testing/servers.ts';

const NOTHING = new Uint8Array();

describe('helper protocol', () => {
  it('ends with code 0 at end of file', async () => {
    assert.deepEqual(await converseHelper(HELPER_PATH, Buffer.of()), {
      responses: [],
      code: 0,
      stderr: '',
    });
  });

  it('wants hello first, and of its version', async () => {
    const other: Op = { $case: 'hello', value: { protocolVersion: 2 } };
    const probe: Op = { $case: 'probe', value: {} };
    const { responses, code } = await converseHelper(
      HELPER_PATH,
      frames(probe, other, probe, HELLO),
    );
    const refusal = {
      code: 'BAD_REQUEST',
      message: 'op: the first request must be a hello',
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
      const outcome = await converseHelper(HELPER_PATH, Buffer.concat([frames(HELLO), bytes]));
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
    const outcome = await converseHelper(
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
    ];
    const { responses } = await converseHelper(
      HELPER_PATH,
      frames(HELLO, ...bad.map(([op]) => op)),
    );
    assert.deepEqual(
      responses.slice(1).map((response) => {
        const { code, message } = errorOf(response);
        return [code, message.split(':')[0]];
      }),
      bad.map(([, field]) => ['BAD_REQUEST', field]),
    );
  });

  it('does nothing of what runtimes and skein-vm do', async () => {
    const engine = { $case: 'code', value: 1 } as const;
    const map = { type: 1, keySize: 4, valueSize: 4, maxEntries: 1, flags: 0, name: '' };
    const poke = { code: 1, offset: 0, expected: 0n, replacement: 0n };
    const install = {
      hook: 'a',
      kind: HookKind.MEMORY,
      code: 1,
      entry: 0,
      label: 'a',
      blob: NOTHING,
      uses: [],
    };
    const others: readonly Op[] = [
      { $case: 'mapCode', value: { code: Buffer.of(0xc3), patches: [] } },
      { $case: 'pokeCode', value: { pokes: [poke], protocol: 0 } },
      { $case: 'readBytes', value: { code: 1, offset: 0, length: 1 } },
      { $case: 'runProgram', value: { engine, memory: NOTHING, repeat: 1, timeLimitMs: 10 } },
      { $case: 'makeVmMap', value: map },
      { $case: 'vmMapOp', value: { map: 1, op: { $case: 'list', value: { from: 0, count: 1 } } } },
      { $case: 'runtimeHello', value: { protocolVersion: 1 } },
      { $case: 'installProgram', value: install },
      { $case: 'removeProgram', value: { hook: 'a' } },
    ];
    const { responses } = await converseHelper(HELPER_PATH, frames(HELLO, ...others));
    const refusal = { code: 'UNSUPPORTED', message: 'op: the helper does not do this' };
    assert.deepEqual(responses.slice(1).map(errorOf), Array(others.length).fill(refusal));
  });

  it('knows no handle that it did not give out', async () => {
    const { responses } = await converseHelper(
      HELPER_PATH,
      frames(HELLO, { $case: 'inspect', value: { handle: 4_000_000_000 } }),
    );
    assert.equal(errorOf(responses[1]).code, 'NO_SUCH_HANDLE');
  });
});

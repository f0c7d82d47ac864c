/** skein-vm as a stranger sees it: raw bytes in, raw bytes out. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Op } from '#agent/helper/helper.ts';
import { converse, errorOf, frames, HELLO } from '#agent/helper/testing/raw-helper.ts';
import { VM_PATH } from '#agent/helper/testing/servers.ts';
import type { CodePoke, InterpretedProgram } from '#proto/gen/skein/v1/helper.ts';

const NOTHING = new Uint8Array();

describe('skein-vm', () => {
  it('ends with code 0 at end of file', async () => {
    const expected = { responses: [], code: 0, stderr: '' };
    assert.deepEqual(await converse(VM_PATH, [], NOTHING), expected);
  });

  it('takes no arguments', async () => {
    const { code, stderr } = await converse(VM_PATH, ['--pin-root', '/'], NOTHING);
    assert.equal(stderr, 'skein-vm: takes no arguments; try --help\n');
    assert.equal(code, 2);
  });

  it('wants hello first, and of its version', async () => {
    const close: Op = { $case: 'close', value: { handle: 1 } };
    const other: Op = { $case: 'hello', value: { protocolVersion: 2 } };
    const { responses } = await converse(VM_PATH, [], frames(close, other, close, HELLO, close));
    assert.deepEqual(
      [0, 1, 2, 4].map((index) => errorOf(responses[index]).message),
      [
        'op: the first request must be a hello',
        'protocol_version: 2, not 1',
        'op: the first request must be a hello',
        'handle 1: not open',
      ],
    );
  });

  it('does nothing to the kernel, and has no hooks', async () => {
    const load = { object: Buffer.of(1), name: 'a', programs: ['p'], reuse: [] };
    const others: readonly Op[] = [
      { $case: 'probe', value: {} },
      { $case: 'load', value: load },
      { $case: 'adopt', value: { path: 'a' } },
      { $case: 'makeSet', value: { name: 'a', values: [] } },
      { $case: 'runtimeHello', value: { protocolVersion: 1 } },
      { $case: 'removeProgram', value: { hook: 'a' } },
    ];
    const { responses } = await converse(VM_PATH, [], frames(HELLO, ...others));
    const refusal = { code: 'UNSUPPORTED', message: 'op: skein-vm does not do this' };
    assert.deepEqual(responses.slice(1).map(errorOf), Array(others.length).fill(refusal));
  });

  it('names the field of every bad request', async () => {
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
    const { responses } = await converse(VM_PATH, [], frames(HELLO, ...bad.map(([op]) => op)));
    assert.deepEqual(
      responses.slice(1).map((response) => {
        const { code, message } = errorOf(response);
        return [code, message.split(':')[0]];
      }),
      bad.map(([, field]) => ['BAD_REQUEST', field]),
    );
  });
});

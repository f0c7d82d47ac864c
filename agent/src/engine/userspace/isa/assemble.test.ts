import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { anyInstruction, anyOperation } from '../testing/any-instruction.ts';
import { assemble } from './assemble.ts';
import { disassembleAll } from './disassemble.ts';
import { encode } from './encode.ts';
import { operationOf } from './opcodes.ts';
import { bytesOfSlots, slotsOfBytes } from './program-bytes.ts';

describe('assemble', () => {
  it('reads what the disassembler writes', () => {
    fc.assert(
      fc.property(fc.array(anyInstruction, { maxLength: 20 }), (instructions) => {
        const slots = instructions.flat();
        assert.deepEqual(assemble(disassembleAll(slots).join('\n')), slots);
      }),
      { numRuns: 2_000 },
    );
  });

  it('an operation encoded is that operation decoded', () => {
    fc.assert(
      fc.property(anyOperation, (operation) => {
        assert.deepEqual(operationOf(encode(operation)), operation);
      }),
    );
  });

  it('slots are bytes and back', () => {
    fc.assert(
      fc.property(fc.array(anyInstruction), (instructions) => {
        const slots = instructions.flat();
        assert.deepEqual(slotsOfBytes(bytesOfSlots(slots)), slots);
      }),
    );
  });

  it('jumps to labels, over constants of two slots', () => {
    const source = `
      again: r1 = 0x1122334455667788 ll   # two slots
      if r1 == 0 goto again
      goto end // forth
      call f
      gotol again
      end: exit
      f:
      last: exit`;
    const slots = assemble(source);
    assert.deepEqual(slots.map(({ offset, imm }) => [offset, imm]).slice(2), [
      [-3, 0],
      [2, 0],
      [0, 2],
      [0, -6],
      [0, 0],
      [0, 0],
    ]);
  });

  it('assembles what clang does to the same bytes', (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'skein-'));
    t.after(() => rmSync(directory, { recursive: true }));
    // As much of the set as clang 14 knows: no cpu v4.
    const source = CLANG_SYNTAX.join('\n');
    const [object, code] = [join(directory, 'code.o'), join(directory, 'code')];
    const clang = ['-target', 'bpfel', '-mcpu=v3', '-c', '-x', 'assembler', '-', '-o', object];
    execFileSync('clang', clang, { input: `${source}\n` });
    execFileSync('llvm-objcopy', ['-O', 'binary', '-j', '.text', object, code]);
    const expected = slotsOfBytes(readFileSync(code));
    assert.deepEqual(assemble(source), expected);
  });

  it("takes clang's names of atomic operations, which its own assembler reads only from 15 on", () => {
    const pairs = [
      ['r2 = atomic_fetch_add((u64 *)(r1 + 8), r2)', 'r2 = atomic64_fetch_add((u64 *)(r1 +8), r2)'],
      ['w2 = atomic_fetch_xor((u32 *)(r1 + 4), w2)', 'r2 = atomic_fetch_xor((u32 *)(r1 +4), r2)'],
      ['r2 = xchg_64(r1 + 8, r2)', 'r2 = atomic64_xchg((u64 *)(r1 +8), r2)'],
      ['w2 = xchg32_32(r1 + 4, w2)', 'r2 = atomic_xchg((u32 *)(r1 +4), r2)'],
      ['r0 = cmpxchg_64(r1 + 8, r0, r2)', 'r0 = atomic64_cmpxchg((u64 *)(r1 +8), r0, r2)'],
      ['w0 = cmpxchg32_32(r1 + 4, w0, w2)', 'r0 = atomic_cmpxchg((u32 *)(r1 +4), r0, r2)'],
    ];
    for (const [clang, kernel] of pairs) {
      assert.deepEqual(assemble(clang ?? ''), assemble(kernel ?? ''), clang);
    }
  });

  const mistakes: readonly (readonly [string, string])[] = [
    ['r0 = 0\nfoo', 'line 2, column 1: expected an instruction, found "foo": foo'],
    ['  r12 = 1', 'line 1, column 3: expected an instruction, found "r12": r12 = 1'],
    ['r1 += w2', 'line 1, column 7: expected a register as wide as r1, found "w2": r1 += w2'],
    [
      'r1 = 4294967296',
      'line 1, column 6: a register or number out of range (-2147483648 to 4294967295), found "4294967296": r1 = 4294967296',
    ],
    [
      'r0 = *(u32 *)(r1 +40000)',
      'line 1, column 18: an offset out of range (-32768 to 32767), found "+": r0 = *(u32 *)(r1 +40000)',
    ],
    ['goto nowhere', 'line 1, column 6: no label within reach, found "nowhere": goto nowhere'],
    ['a: exit\na: exit', 'line 2, column 1: a label given twice, found "a": a: exit'],
    ['if r1 =! 3 goto +1', 'line 1, column 8: not a token: if r1 =! 3 goto +1'],
    ['exit 3', 'line 1, column 6: expected the end of the line, found "3": exit 3'],
    ['r0 =', 'line 1, column 5: expected a register or number, the line ends: r0 ='],
    [
      'lock *(u8 *)(r1 +0) += r2',
      'line 1, column 8: expected u32 or u64, found "u8": lock *(u8 *)(r1 +0) += r2',
    ],
  ];
  for (const [source, message] of mistakes) {
    it(`refuses ${JSON.stringify(source)}`, () => {
      assert.throws(() => assemble(source), { code: 'SKEIN_INVALID_ARGUMENT', message });
    });
  }
});

const CLANG_SYNTAX = [
  ...['+=', '-=', '*=', '/=', '|=', '&=', '<<=', '>>=', '^=', '=', 's>>='].flatMap((sign) => [
    `r1 ${sign} r2`,
    `w1 ${sign} w2`,
    `r1 ${sign} 5`,
    `w1 ${sign} -5`,
  ]),
  ...['==', '!=', '>', '>=', '<', '<=', 's>', 's>=', 's<', 's<='].flatMap((sign) => [
    `if r1 ${sign} r2 goto +3`,
    `if w1 ${sign} w2 goto -3`,
    `if r1 ${sign} 5 goto +3`,
    `if w1 ${sign} -5 goto +3`,
  ]),
  ...['u8', 'u16', 'u32', 'u64'].flatMap((type) => [
    `r0 = *(${type} *)(r1 + 4)`,
    `*(${type} *)(r10 - 8) = r3`,
  ]),
  ...['+=', '|=', '&=', '^='].map((sign) => `lock *(u64 *)(r1 + 8) ${sign} r2`),
  'lock *(u32 *)(r1 + 4) += w2',
  'r1 = -r1',
  'w1 = -w1',
  'r1 = be16 r1',
  'r1 = le64 r1',
  'r1 = 81985529216486895 ll',
  'goto +2',
  'call 7',
  'exit',
];

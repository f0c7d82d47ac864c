import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RawInstruction } from '#agent/object/instructions.ts';
import { disassemble, disassembleAll } from './disassemble.ts';

const raw = (opcode: number, dst = 0, src = 0, offset = 0, imm = 0): RawInstruction => ({
  opcode,
  dst,
  src,
  offset,
  imm,
});

describe('disassemble', () => {
  const cases: readonly (readonly [RawInstruction, string])[] = [
    [raw(0x0f, 1, 2), 'r1 += r2'],
    [raw(0x04, 1, 0, 0, -5), 'w1 += -5'],
    [raw(0xc7, 3, 0, 0, 7), 'r3 s>>= 7'],
    [raw(0x3f, 1, 2, 1), 'r1 s/= r2'],
    [raw(0x94, 1, 0, 1, 3), 'w1 s%= 3'],
    [raw(0x87, 4), 'r4 = -r4'],
    [raw(0x84, 4), 'w4 = -w4'],
    [raw(0xbf, 1, 2, 32), 'r1 = (s32)r2'],
    [raw(0xbc, 1, 2, 8), 'w1 = (s8)w2'],
    [raw(0xd4, 1, 0, 0, 16), 'r1 = le16 r1'],
    [raw(0xdc, 1, 0, 0, 64), 'r1 = be64 r1'],
    [raw(0xd7, 1, 0, 0, 32), 'r1 = bswap32 r1'],
    [raw(0x61, 0, 1, 4), 'r0 = *(u32 *)(r1 +4)'],
    [raw(0x91, 0, 1, -1), 'r0 = *(s8 *)(r1 -1)'],
    [raw(0x7b, 10, 6, -8), '*(u64 *)(r10 -8) = r6'],
    [raw(0x6a, 10, 0, -8, -1), '*(u16 *)(r10 -8) = -1'],
    [raw(0xdb, 1, 2), 'lock *(u64 *)(r1 +0) += r2'],
    [raw(0xdb, 1, 2, 0, 1), 'r2 = atomic64_fetch_add((u64 *)(r1 +0), r2)'],
    [raw(0xc3, 1, 2, 4, 0xe1), 'r2 = atomic_xchg((u32 *)(r1 +4), r2)'],
    [raw(0xdb, 1, 2, 0, 0xf1), 'r0 = atomic64_cmpxchg((u64 *)(r1 +0), r0, r2)'],
    [raw(0x05, 0, 0, 3), 'goto pc+3'],
    [raw(0x06, 0, 0, 0, -2), 'gotol pc-2'],
    [raw(0x05, 0, 1, 1), 'goto_or_nop pc+1'],
    [raw(0x05, 0, 3, 1), 'nop_or_goto pc+1'],
    [raw(0x06, 0, 1, 0, 1), 'gotol_or_nop pc+1'],
    [raw(0x06, 0, 3, 0, 1), 'nop_or_gotol pc+1'],
    [raw(0x65, 1, 0, 3, 5), 'if r1 s> 0x5 goto pc+3'],
    [raw(0x1e, 1, 2, -3), 'if w1 == w2 goto pc-3'],
    [raw(0x45, 1, 0, 3, -1), 'if r1 & 0xffffffff goto pc+3'],
    [raw(0x85, 0, 1, 0, 7), 'call pc+7'],
    [raw(0x85, 0, 0, 0, 14), 'call 14'],
    [raw(0x85, 0, 2, 0, 99), 'call kernel-function#99'],
    [raw(0x95), 'exit'],
    [raw(0x8d, 1), 'no instruction: (8d) dst 1 src 0 off 0 imm 0'],
  ];
  for (const [instruction, text] of cases) {
    it(text, () => assert.equal(disassemble([instruction], 0), text));
  }

  it('takes the constant from both slots', () => {
    const high = raw(0, 0, 0, 0, 0x11);
    assert.equal(disassemble([raw(0x18, 1, 0, 0, -1), high], 0), 'r1 = 0x11ffffffff ll');
    assert.equal(disassemble([raw(0x18, 1, 2, 0, 5), high], 0), 'r1 = map[fd:5][0]+17 ll');
  });

  it('numbers lines by slot and names helpers', () => {
    const program = [raw(0x18, 1), raw(0), raw(0x85, 0, 0, 0, 7), raw(0x95)];
    assert.deepEqual(
      disassembleAll(program, (id) => (id === 7 ? 'get_prandom_u32' : undefined)),
      ['0: (18) r1 = 0x0 ll', '2: (85) call get_prandom_u32#7', '3: (95) exit'],
    );
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RawInstruction } from '#agent/object/instructions.ts';
import { assemble } from './assemble.ts';
import { markedSites, siteAt } from './sites.ts';
import { validate } from './validate.ts';

const raw = (opcode: number, dst = 0, src = 0, offset = 0, imm = 0): RawInstruction => ({
  opcode,
  dst,
  src,
  offset,
  imm,
});
const EXIT = raw(0x95);

describe('validate', () => {
  const refused: readonly (readonly [string, readonly RawInstruction[], number, RegExp])[] = [
    ['nothing', [], 0, /^the program is empty$/],
    ['an unknown opcode', [raw(0xff), EXIT], 0, /^unknown opcode$/],
    ['an opcode of zero', [EXIT, raw(0), EXIT], 1, /^unknown opcode$/],
    ['callx', [raw(0x8d, 1), EXIT], 0, /^unknown opcode$/],
    ['legacy packet access', [raw(0x20), EXIT], 0, /^unknown opcode$/],
    ['an atomic operation of no name', [raw(0xdb, 1, 2, 0, 0x20), EXIT], 0, /reserved value$/],
    ['xchg without fetch', [raw(0xdb, 1, 2, 0, 0xe0), EXIT], 0, /reserved value$/],
    ['an atomic operation on a byte', [raw(0xd3, 1, 2), EXIT], 0, /^unknown opcode$/],
    ['a swap of 8 bits', [raw(0xd4, 1, 0, 0, 8), EXIT], 0, /reserved value$/],
    ['a sign extension of 24 bits', [raw(0xbf, 1, 2, 24), EXIT], 0, /reserved value$/],
    ['movsx32 of a low half', [raw(0xbc, 1, 2, 32), EXIT], 0, /reserved value$/],
    ['ldsx of 8 bytes', [raw(0x99, 1, 2), EXIT], 0, /^unknown opcode$/],
    ['a reserved src_reg of goto', [raw(0x05, 0, 2), EXIT], 0, /reserved value$/],
    ['a signed add', [raw(0x07, 1, 0, 1, 5), EXIT], 0, /^reserved field offset is 1, not 0$/],
    ['src of an immediate operand', [raw(0x07, 1, 2, 0, 5), EXIT], 0, /^reserved field src/],
    ['imm of a register operand', [raw(0x0f, 1, 2, 0, 5), EXIT], 0, /^reserved field imm is 5/],
    ['offset 2 of a division', [raw(0x37, 1, 0, 2, 5), EXIT], 0, /^reserved field offset/],
    ['imm of neg', [raw(0x87, 1, 0, 0, 5), EXIT], 0, /^reserved field imm/],
    ['imm of a load', [raw(0x61, 1, 2, 0, 5), EXIT], 0, /^reserved field imm/],
    ['fields of exit', [raw(0x95, 0, 0, 0, 1)], 0, /^reserved field imm/],
    ['dst of a goto', [raw(0x05, 1), EXIT], 0, /^reserved field dst/],
    ['imm of a short goto', [raw(0x05, 0, 0, 0, 1), EXIT], 0, /^reserved field imm/],
    ['offset of a long goto', [raw(0x06, 0, 0, 1), EXIT], 0, /^reserved field offset/],
    ['a static branch to +0', [raw(0x05, 0, 1), EXIT], 0, /^a static branch to \+0$/],
    ['R12', [raw(0xbf, 12, 1), EXIT], 0, /^R12 is no register$/],
    ['a source R15', [raw(0xbf, 1, 15), EXIT], 0, /^R15 is no register$/],
    ['a write of R10', [raw(0xb7, 10), EXIT], 0, /^R10 is read-only$/],
    [
      'a fetch into R10',
      assemble('r10 = atomic64_xchg((u64 *)(r10 -8), r10)\nexit'),
      0,
      /^R10 is read-only$/,
    ],
    ['r11 as a register', assemble('r11 = 5\nexit'), 0, /^r11 only names/],
    ['r11 loaded for nothing', assemble('r11 = 5 ll\nexit'), 0, /^r11 only names/],
    ['r11 compared with r0', assemble('a: if r11 == r0 goto a\nexit'), 0, /^r11 only/],
    ['half a constant', [raw(0x18, 1)], 0, /^the second half is missing$/],
    ['a constant with an instruction inside', [raw(0x18, 1), EXIT], 0, /^the second half has/],
    ['a wide map descriptor', [raw(0x18, 1, 1), raw(0, 0, 0, 0, 1), EXIT], 0, /^the high half/],
    ['a jump before the start', assemble('goto -2\nexit'), 0, /^jump out of range to -1$/],
    ['a jump behind the end', assemble('if r1 == 0 goto +1\nexit'), 0, /out of range to 2$/],
    ['a long jump away', assemble('gotol +2147483647\nexit'), 0, /out of range to 2147483648$/],
    ['a static branch away', assemble('nop_or_goto +1\nexit'), 0, /out of range to 2$/],
    [
      'a jump into a constant',
      assemble('goto +1\nr1 = 0 ll\nexit'),
      0,
      /^jump into the middle of the constant at 1$/,
    ],
    [
      'a call into a constant',
      assemble('call +2\nexit\nr1 = 0 ll\nexit'),
      0,
      /^jump into the middle of the constant at 2$/,
    ],
    [
      'a jump into another function',
      assemble('call f\ngoto f\nf: r0 = 0\nexit'),
      1,
      /^jump to 2, out of the function$/,
    ],
    ['an end without exit', assemble('r0 = 0'), 0, /^falls off the end/],
    ['a static branch at the end', assemble('a: exit\ngoto_or_nop a'), 1, /^falls off/],
    ['a function that runs into the next', assemble('call f\nf: exit'), 0, /^falls off/],
  ];
  for (const [what, slots, instruction, reason] of refused) {
    it(`refuses ${what}`, () => {
      const refusal = validate(slots);
      assert.equal(refusal?.instruction, instruction);
      assert.match(refusal?.reason ?? '', reason);
      assert.notEqual(refusal?.text, '');
    });
  }

  it('accepts a program of every part', () => {
    const source = `
      r11 = 0x5 ll
      if r11 != r11 goto end
      gotol_or_nop end
      call f
      r1 s/= 3
      w1 = (s8)w2
      end: exit
      f: r0 = 0
      goto -2`;
    assert.equal(validate(assemble(source)), undefined);
  });
});

describe('sites', () => {
  const source = `
    r0 = 0
    nop_or_goto yes
    goto_or_nop yes
    nop_or_gotol yes
    r11 = 7 ll
    if r11 != r11 goto yes
    r11 = 7 ll
    if r11 == r11 goto yes
    r0 = 7 ll
    if r0 == r0 goto yes
    r0 = 7 ll
    r0 = *(u32 *)(r0 +0)
    if r0 != 0 goto yes
    yes: exit`;
  const slots = assemble(source);
  const target = slots.length - 1;

  it('finds those that are marked', () => {
    assert.deepEqual(markedSites(slots), [
      { start: 1, instruction: 1, target, inverse: false },
      { start: 2, instruction: 2, target, inverse: true },
      { start: 3, instruction: 3, target, inverse: false },
      { start: 4, instruction: 6, target, inverse: false },
      { start: 7, instruction: 9, target, inverse: true },
    ]);
  });

  it('finds the others where they are said to be', () => {
    assert.deepEqual(siteAt(slots, 12), { start: 10, instruction: 12, target, inverse: true });
    assert.deepEqual(siteAt(slots, 16), { start: 13, instruction: 16, target, inverse: false });
    for (const none of [0, 10, 11, 13, 15, 17, 99]) assert.equal(siteAt(slots, none), undefined);
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mulberry32 } from '../../../../../test/support/random.ts';
import { assemble } from '../isa/assemble.ts';
import { markedSites, type Site } from '../isa/sites.ts';
import { randomProgram } from '../testing/random-program.ts';
import { type Compiled, compile } from './compile.ts';
import { SITE_BYTES } from './layout.ts';

const NOP5 = '0f1f440000';

const compileText = (source: string) => {
  const slots = assemble(source);
  return compile(slots, markedSites(slots));
};
const hex = ({ code }: Compiled<Site>, from: number, to: number) =>
  Buffer.from(code.subarray(from, to)).toString('hex');
/** Code between two slots. */
const between = (compiled: Compiled<Site>, from: number, to: number) =>
  hex(compiled, compiled.offsets[from] ?? 0, compiled.offsets[to] ?? 0);

describe('compile', () => {
  it('makes of each encoding one nop or one jump, and nothing else', () => {
    for (const [text, slots, off] of [
      ['nop_or_goto end', 1, NOP5],
      ['nop_or_gotol end', 1, NOP5],
      ['r11 = 0x1122334455667788 ll\nif r11 != r11 goto end', 3, NOP5],
      ['goto_or_nop end', 1, 'e903000000'],
      ['gotol_or_nop end', 1, 'e903000000'],
      ['r11 = 5 ll\nif r11 == r11 goto end', 3, 'e903000000'],
    ] as const) {
      // Three bytes, so that the prologue and this end at a word.
      const compiled = compileText(`r0 = r1\n${text}\nr0 ^= r0\nend: exit`);
      assert.equal(between(compiled, 1, 1 + slots), off, text);
      assert.equal(hex(compiled, 0, 8).slice(0, 8), '554889e5');
    }
  });

  it('every site is within one aligned word, whatever comes before it', () => {
    for (let seed = 1; seed <= 200; seed++) {
      const { slots, sites } = randomProgram(mulberry32(seed));
      const compiled = compile(slots, sites);
      assert.equal(compiled.sites.length, sites.length);
      for (const { site, offset, target } of compiled.sites) {
        assert.ok(offset % 8 <= 8 - SITE_BYTES, `seed ${seed}`);
        const distance = target - offset - SITE_BYTES;
        const jump = Buffer.alloc(5, 0xe9);
        jump.writeInt32LE(distance, 1);
        const wanted = site.inverse ? jump.toString('hex') : NOP5;
        assert.equal(hex(compiled, offset, offset + SITE_BYTES), wanted);
      }
    }
  });

  it('pads with prefixes of the instruction before, and jumps land behind it', () => {
    const source = 'r0 = 0\nif r1 == 0 goto at\nr0 = r1\nat: nop_or_goto end\nr0 = 6\nend: exit';
    const compiled = compileText(source);
    const at = compiled.offsets[3] ?? 0;
    assert.equal(compiled.sites[0]?.offset, at);
    // push, mov; xor; test, je +5; mov with two prefixes
    assert.equal(hex(compiled, 0, at), '554889e531c04885ff74053e3e4889f8');
  });

  it('pads with a nop where something else could go on', () => {
    for (const [before, off] of [
      // After a jump, where nothing comes along.
      ['if r1 == 0 goto at\ngoto end\nat: r0 = r1', '3e3e4889f8'],
      ['if r1 == 0 goto +1\nr0 = r1\ngoto +0', '4889f80f1f4000'],
    ] as const) {
      const { code, sites } = compileText(`${before}\nnop_or_goto end\nr0 = 6\nend: exit`);
      const end = sites.at(-1)?.offset ?? 0;
      const found = Buffer.from(code.subarray(0, end)).toString('hex');
      assert.ok(found.endsWith(off), `${before}: ${found}`);
    }
  });

  it('goto +0 costs nothing', () => {
    const compiled = compileText('r0 = 0\ngoto +0\ngotol +0\nexit');
    assert.equal(between(compiled, 1, 3), '');
  });

  it('saves only what it uses', () => {
    const pushes = (source: string) =>
      /^554889e5(4881ec\w{8}|4883ec\w\w)?((53|41\w\w)*)/.exec(hex(compileText(source), 0, 24))?.[2];
    assert.equal(pushes('r0 = 0\nexit'), '');
    assert.equal(pushes('r6 = 0\nr0 = r6\nexit'), '53');
    assert.equal(pushes('r6 = 0\nr9 = r6\nr0 = r9\nexit'), '534157');
  });

  it('jumps are short where they reach, and long where they do not', () => {
    const far = (count: number) =>
      compileText(`if r1 == 0 goto end\n${'r0 = r1\n'.repeat(count)}end: exit`);
    // test and je: 3 + 2 or 3 + 6 bytes; 127 is 42 moves and one byte.
    assert.equal(between(far(42), 0, 1).length / 2, 5);
    assert.equal(between(far(43), 0, 1).length / 2, 9);
    const back = compileText(`again: ${'r0 = r1\n'.repeat(42)}goto again`);
    assert.equal(back.code.at(-2), 0xeb);
    const farBack = compileText(`again: ${'r0 = r1\n'.repeat(43)}goto again`);
    assert.equal(farBack.code.at(-5), 0xe9);
  });

  it('names what only the helper knows', () => {
    const { patches, code } = compileText(
      'call 7\nr1 = map[fd:3][0]+4 ll\nr2 = subprog[+2] ll\nexit\nf: exit',
    );
    assert.deepEqual(
      patches.map(({ target }) => target),
      [
        { kind: 'helper', id: 7 },
        { kind: 'map-value', by: 'fd', number: 3, offset: 4 },
        { kind: 'code', offset: code.length - 6 },
      ],
    );
    for (const { offset } of patches) assert.equal(Buffer.from(code).readBigUInt64LE(offset), 0n);
  });
});

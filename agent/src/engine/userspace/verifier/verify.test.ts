import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assemble } from '../isa/assemble.ts';
import { siteAt } from '../isa/sites.ts';
import type { Refused, VerifierInput, VerifierResult } from './input.ts';
import { CASES, inputOf, slotsOf } from './testing/cases.ts';
import { verify } from './verify.ts';

function refusalOf(result: VerifierResult): Refused {
  assert.ok(!result.accepted, 'accepted');
  return result;
}

const xdp = (code: string): VerifierInput => inputOf('xdp', assemble(code));

describe('verify', () => {
  for (const each of CASES) {
    it(each.name, () => {
      const result = verify(inputOf(each.type, slotsOf(each)));
      if (each.refused === undefined) {
        assert.ok(result.accepted, JSON.stringify(result));
        return;
      }
      const [instruction, reason] = each.refused;
      const refusal = refusalOf(result);
      assert.equal(refusal.instruction, instruction, refusal.reason);
      assert.ok(refusal.reason.includes(reason), refusal.reason);
      assert.notEqual(refusal.text, '');
    });
  }

  it('names the instruction in assembly and the source line', () => {
    const lines = [
      { instruction: 0, file: 'a.c', line: 7, text: 'return x;' },
      { instruction: 1, file: 'a.c', line: 9, text: 'y = *p;' },
    ];
    const result = verify({ ...xdp('r0 = 0\nr0 = *(u8 *)(r3 +4)\nexit'), lines });
    const { instruction, text, reason, source } = refusalOf(result);
    assert.deepEqual([instruction, text, reason], [1, 'r0 = *(u8 *)(r3 +4)', 'R3 !read_ok']);
    assert.deepEqual(source, lines[1]);
  });

  it('counts as the kernel does', () => {
    const loop = 'r0 = 0\nagain: r0 += 1\nif r0 < 100 goto again\nexit';
    const { accepted, statistics } = verify(xdp(loop));
    assert.ok(accepted);
    assert.equal(statistics.verifiedInstructions, 202);
    const stack = verify(
      xdp('*(u32 *)(r10 -12) = 1\ncall f\nexit\nf: *(u8 *)(r10 -1) = 1\nr0 = 0\nexit'),
    );
    assert.equal(stack.statistics.stackDepthBytes, 13);
  });

  it('takes the time by the clock it is given', () => {
    let now = 0;
    const clock = () => {
      now += 1.5;
      return now;
    };
    assert.equal(
      verify({ ...xdp('r0 = 0\nexit'), now: clock }).statistics.verificationTimeUs,
      1500,
    );
  });
});

describe('memory of a program without a context', () => {
  const memory = (code: string, minimum: number, maximum: number): VerifierResult =>
    verify({ ...xdp(code), kind: { type: 'memory', minimum, maximum } });

  it('is as long as promised', () => {
    assert.ok(memory('r0 = *(u64 *)(r1 +8)\nexit', 16, 16).accepted);
    const { reason } = refusalOf(memory('r0 = *(u64 *)(r1 +9)\nexit', 16, 16));
    assert.match(reason, /invalid access to memory, mem_size=16 off=9 size=8/);
  });

  it('has its length in r2', () => {
    assert.ok(memory('r2 &= 15\nr1 += r2\nr0 = *(u8 *)(r1 +0)\nexit', 16, 64).accepted);
    assert.ok(memory('r2 -= 1\nr1 += r2\nr0 = *(u8 *)(r1 +0)\nexit', 16, 16).accepted);
    assert.ok(!memory('r2 -= 1\nr1 += r2\nr0 = *(u8 *)(r1 +0)\nexit', 16, 17).accepted);
  });
});

describe('a static branch', () => {
  /** On the side behind the jump the program reads what it may not. */
  const forms = [
    ['selectable goto', 'nop_or_goto bad\nr0 = 0\nexit\nbad: r0 = *(u8 *)(r9 +0)\nexit', 0],
    ['inverse goto', 'goto_or_nop bad\nr0 = 0\nexit\nbad: r0 = *(u8 *)(r9 +0)\nexit', 0],
    [
      'r11 with itself',
      'r11 = map[fd:0][0]+0 ll\nif r11 != r11 goto bad\nr0 = 0\nexit\nbad: r0 = *(u8 *)(r9 +0)\nexit',
      2,
    ],
    [
      'a frozen variable',
      `r0 = map[fd:2][0]+0 ll
      r0 = *(u32 *)(r0 +0)
      if r0 != 0 goto bad
      r0 = 0
      exit
      bad: r0 = *(u8 *)(r9 +0)
      exit`,
      3,
    ],
  ] as const;

  for (const [name, code, jump] of forms) {
    it(`${name}: both sides, whatever the key says`, () => {
      const input = xdp(code);
      const site = siteAt(input.slots, jump);
      assert.ok(site);
      assert.equal(refusalOf(verify({ ...input, sites: [site] })).reason, 'R9 !read_ok');
      const sound = xdp(
        code.replace('r9', 'r10').replace('+0)\nexit', '-1)\nexit').replace('(r10 +0)', '(r10 -1)'),
      );
      assert.ok(verify({ ...sound, sites: [site] }).accepted);
    });
  }

  it('leaves nothing in the register that it tests', () => {
    const input = xdp(`r0 = map[fd:0][0]+0 ll
      r0 = *(u32 *)(r0 +0)
      if r0 != 0 goto on
      on: exit`);
    const site = siteAt(input.slots, 3);
    assert.ok(site);
    assert.ok(verify(input).accepted);
    assert.equal(refusalOf(verify({ ...input, sites: [site] })).reason, 'R0 !read_ok');
  });
});

describe('a global function', () => {
  const slots = assemble(`
    r1 = r10
    r1 += -8
    call f
    exit
    f: if r1 == 0 goto none
    r0 = *(u64 *)(r1 +0)
    exit
    none: r0 = 0
    exit`);
  const withBytes = (bytes: number): VerifierResult =>
    verify({
      ...inputOf('xdp', slots),
      functions: [
        { name: 'main', start: 0 },
        { name: 'f', start: 4, global: { parameters: [{ type: 'memory', bytes, orNull: true }] } },
      ],
    });

  it('may use what it is promised', () => {
    assert.ok(withBytes(8).accepted);
  });

  it('may not use more', () => {
    const { instruction, reason } = refusalOf(withBytes(4));
    assert.equal(instruction, 5);
    assert.match(reason, /invalid access to memory, mem_size=4/);
  });

  it('must be given it', () => {
    const { instruction, reason } = refusalOf(withBytes(16));
    assert.equal(instruction, 2);
    assert.match(reason, /invalid write to stack R1/);
  });
});

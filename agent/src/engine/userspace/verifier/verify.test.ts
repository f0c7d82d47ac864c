import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assemble } from '../isa/assemble.ts';
import { siteAt } from '../isa/sites.ts';
import type { Parameter, Refused, VerifierInput, VerifierResult } from './input.ts';
import { readCases } from './testing/cases.ts';
import { inputOf } from './testing/inputs.ts';
import { verify } from './verify.ts';

function refusalOf(result: VerifierResult): Refused {
  assert.ok(!result.accepted, 'accepted');
  return result;
}

const xdp = (code: string): VerifierInput => inputOf('xdp', assemble(code));

for (const { area, cases } of readCases()) {
  describe(`the cases of ${area}`, () => {
    for (const { name, type, slots, refused } of cases) {
      it(name, () => {
        const result = verify(inputOf(type, slots));
        if (refused === undefined) {
          assert.ok(result.accepted, JSON.stringify(result));
          return;
        }
        const refusal = refusalOf(result);
        assert.equal(refusal.instruction, refused.at, refusal.reason);
        assert.ok(refusal.reason.includes(refused.reason), refusal.reason);
        assert.notEqual(refusal.text, '');
      });
    }
  });
}

describe('verify', () => {
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

describe('a call of a global function', () => {
  /** The function begins at the label f, which is the last. */
  const calling = (code: string, parameter: Parameter): VerifierResult => {
    const input = xdp(code);
    const [main, fn] = input.functions;
    assert.ok(main && fn);
    const functions = [main, { ...fn, global: { parameters: [parameter] } }];
    return verify({ ...input, functions });
  };
  const bytes: Parameter = { type: 'memory', bytes: 8, orNull: true };
  const F = 'f: if r1 == 0 goto none\nr0 = *(u64 *)(r1 +0)\nexit\nnone: r0 = 0\nexit';

  it('passes a context on as it is', () => {
    const f = 'call f\nexit\nf: r0 = *(u32 *)(r1 +16)\nexit';
    assert.ok(calling(f, { type: 'context' }).accepted);
    const { instruction, reason } = refusalOf(calling(`r1 += 4\n${f}`, { type: 'context' }));
    assert.equal(instruction, 1);
    assert.match(reason, /dereference of modified ctx ptr R1 off=4 disallowed/);
  });

  it('passes a map on as no memory', () => {
    const { instruction, reason } = refusalOf(
      calling(`r1 = map[fd:1] ll\ncall f\nexit\n${F}`, bytes),
    );
    assert.equal(instruction, 2);
    assert.match(reason, /R1 type=map_ptr expected=mem/);
  });

  it('passes a number on for a pointer only where it is 0 on all ways', () => {
    const code = (otherwise: string) => `
      r1 = map[fd:0][0]+0 ll
      r6 = *(u64 *)(r1 +0)
      r7 = *(u64 *)(r1 +8)
      if r6 == 1 goto other
      r1 = 0
      r6 = 2
      r6 = 3
      goto join
    other:
      r1 = ${otherwise}
    join:
      r6 = 2
      if r7 == 1 goto out
      call f
    out:
      r0 = 0
      exit
      ${F}`;
    assert.ok(calling(code('0'), bytes).accepted);
    const { reason } = refusalOf(calling(code('r7'), bytes));
    assert.match(reason, /R1 type=scalar expected=mem/);
  });

  it('loses the packet where the function calls another program', () => {
    const code = (f: string) => `
      r9 = r1
      r6 = *(u32 *)(r1 +0)
      r3 = *(u32 *)(r1 +4)
      r4 = r6
      r4 += 8
      if r4 > r3 goto out
      call f
      r0 = *(u64 *)(r6 +0)
    out:
      r0 = 0
      exit
    f: ${f}
      r0 = 0
      exit`;
    assert.ok(calling(code('r2 = 0'), { type: 'context' }).accepted);
    const { reason } = refusalOf(
      calling(code('r2 = map[fd:5] ll\nr3 = 0\ncall 12'), { type: 'context' }),
    );
    assert.match(reason, /R6 invalid mem access 'scalar'/);
  });
});

it('a pointer that was behind the end of the packet need not be after arithmetic', () => {
  const refusal = refusalOf(
    verify(
      xdp(`
        r2 = *(u32 *)(r1 +0)
        r3 = *(u32 *)(r1 +4)
        r4 = r2
        r4 += 100
        if r4 > r3 goto behind
        r0 = 0
        exit
      behind:
        r4 += -100
        if r4 > r3 goto out
        r0 = *(u64 *)(r9 +0)
      out:
        r0 = 0
        exit`),
    ),
  );
  assert.deepEqual([refusal.instruction, refusal.reason], [9, 'R9 !read_ok']);
});

it('a static branch goes nowhere but in its function', () => {
  const input = xdp('nop_or_goto out\ncall f\nout: r0 = 0\nexit\nf: r0 = 0\nexit');
  const site = siteAt(input.slots, 0);
  assert.ok(site);
  assert.ok(verify({ ...input, sites: [site] }).accepted);
  for (const target of [4, 5, 6, -1])
    assert.match(
      refusalOf(verify({ ...input, sites: [{ ...site, target }] })).reason,
      /the static branch goes to/,
    );
});

it('a chain of calls is looked at once, however many ways there are to it', () => {
  // Each function calls the next one 40 times: 40^7 ways.
  const functions = Array.from(
    { length: 7 },
    (_, n) => `f${n}:\n${`call f${n + 1}\n`.repeat(40)}r0 = 0\nexit\n`,
  );
  const input = xdp(`${functions.join('')}f7: r0 = 0\nexit`);
  const global = { parameters: [] };
  const named = input.functions.map((fn, n) => (n === 0 ? fn : { ...fn, global }));
  assert.ok(verify({ ...input, functions: named }).accepted);
});

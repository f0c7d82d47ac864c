import assert from 'node:assert/strict';
import test from 'node:test';
import { SkeinError } from '#common/errors.ts';
import { JA, JA32 } from '../object/instructions.ts';
import { readObject } from '../object/read-object.ts';
import { bpfUnavailable } from '../object/testdata/bpftool.ts';
import { plain } from './instruction.ts';
import { lift } from './lift.ts';
import type { LiftedObject } from './lifted.ts';
import { lower } from './lower.ts';
import { specialise } from './specialise.ts';
import { loadBytes, programFixture } from './testdata/objects.ts';

/** Puts instructions that do nothing before the last one of the first program, where the branch of `even` is. */
function padded(count: number): LiftedObject {
  const lifted = lift(programFixture('sixteen.o'));
  const functions = lifted.functions.map((fn, index) => {
    if (index > 0) return fn;
    // r9 is not used here: r9 = 0.
    const padding = Array.from({ length: count }, () =>
      plain({ opcode: 0xb7, dst: 9, src: 0, offset: 0, imm: 0 }),
    );
    const at = fn.body.findIndex(({ site }) => site !== undefined);
    return { ...fn, body: [...fn.body.slice(0, at + 1), ...padding, ...fn.body.slice(at + 1)] };
  });
  return { ...lifted, functions, edited: true };
}

const packet = new Uint8Array(64).fill(3);

test('jumps that became too long go by a gotol', { skip: bpfUnavailable() }, () => {
  const bytes = lower(padded(40_000), { gotol: true });
  const code = readObject(bytes).programs[0]?.bytes ?? new Uint8Array();
  const opcodes = Array.from({ length: code.length / 8 }, (_, slot) => code[slot * 8]);
  assert.ok(opcodes.includes(JA32));
  using long = loadBytes('long', bytes);
  using short = loadBytes('short', programFixture('sixteen.o'));
  for (const keys of [
    [0, 0],
    [1, 0],
    [0, 1],
    [1, 1],
  ]) {
    long.write('.data.static_keys', 0, ...keys);
    short.write('.data.static_keys', 0, ...keys);
    assert.equal(
      long.runOnPacket('hashes', packet),
      short.runOnPacket('hashes', packet),
      `${keys}`,
    );
  }
});

test('jumps that just fit stay as they are', () => {
  const lifted = padded(100);
  const count = (opcode: number) =>
    lifted.functions.flatMap(({ body }) => body).filter((each) => each.opcode === opcode).length;
  const code = lift(lower(lifted, { gotol: true })).functions.flatMap(({ body }) => body);
  assert.equal(code.filter(({ opcode }) => opcode === JA32).length, 0);
  assert.equal(code.filter(({ opcode }) => opcode === JA).length, count(JA));
});

test('without gotol a jump that is too long is refused by name', () => {
  assert.throws(
    () => lower(padded(40_000)),
    (error) => {
      assert.ok(error instanceof SkeinError);
      assert.equal(error.code, 'SKEIN_CANNOT_LOWER');
      assert.match(error.message, /^hashes, instruction \d+: the jump is longer than 16 bits/);
      return true;
    },
  );
});

test('50,000 instructions: lifted, specialised and lowered in good time', (t) => {
  const bytes = programFixture('large.o');
  const { programs, keys } = readObject(bytes);
  assert.ok(programs.reduce((sum, { length }) => sum + length, 0) > 50_000);
  assert.ok(keys.reduce((sum, { sites }) => sum + sites.length, 0) > 1_000);
  const times = Array.from({ length: 8 }, (_, round) => {
    const vector = new Map([
      ['first', round % 2 === 0],
      ['second', round % 3 === 0],
    ]);
    const start = performance.now();
    lower(specialise(lift(bytes), vector));
    return performance.now() - start;
  });
  t.diagnostic(`ms: ${times.map((time) => time.toFixed(0)).join(' ')}`);
  // The benchmark measures; this only notices when the order of magnitude is lost, on a busy machine too.
  assert.ok(Math.min(...times) < 1000);
});

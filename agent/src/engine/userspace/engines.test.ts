/** Random programs and random flips: machine code that is poked gives what the interpreter says. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mulberry32 } from '../../../../test/support/random.ts';
import { ASAN_VM_PATH, useVm, VM_PATH } from '../../helper/testing/servers.ts';
import type { Site } from './isa/sites.ts';
import { validate } from './isa/validate.ts';
import { compile } from './jit/compile.ts';
import { Machine, type MappedCode, type Poke, type RunInput } from './machine.ts';
import { MEMORY_BYTES, type RandomProgram, randomProgram } from './testing/random-program.ts';

const FLIPS = 8;

for (const [path, programs] of [
  [VM_PATH, 300],
  [ASAN_VM_PATH, 60],
] as const) {
  const skip = process.arch === 'x64' ? false : 'the JIT is for x86-64';
  describe(`machine code and interpreter, ${path.split('/').at(-1)}`, { skip }, () => {
    it(`agree on ${programs} programs, flipped ${FLIPS} times each`, async (t) => {
      const machine = new Machine(await useVm(t, path));
      let flipped = 0;
      for (let seed = 1; seed <= programs; seed++) {
        const below = mulberry32(seed);
        const program = randomProgram(below, { verifiable: seed % 2 === 0 });
        try {
          if (await compare(machine, program, below)) flipped += 1;
        } catch (cause) {
          throw new Error(`seed ${seed}:\n${program.source}`, { cause });
        }
      }
      // Or the programs would say little about sites.
      assert.ok(flipped > programs / 2, `only ${flipped} programs care about their keys`);
    });
  });
}

/** Returns whether some flip changed the result. */
async function compare(
  machine: Machine,
  { slots, sites }: RandomProgram,
  below: (limit: number) => number,
): Promise<boolean> {
  const results = new Set<bigint>();
  assert.equal(validate(slots), undefined);
  const code = await machine.map(compile(slots, sites));
  const memory = Uint8Array.from({ length: MEMORY_BYTES }, () => below(256));
  const input: RunInput = { memory, repeat: 1, timeLimitMs: 10_000 };
  const on = new Set<Site>();
  for (let flip = 0; flip < FLIPS; flip++) {
    const [native, expected] = await Promise.all([
      machine.run(code, slots, input),
      machine.interpret(slots, sites, (site) => on.has(site), input),
    ]);
    results.add(native.value);
    assert.equal(native.value, expected.value, `flip ${flip}`);
    assert.deepEqual(native.memory, expected.memory, `flip ${flip}`);
    const pokes = randomPokes(code, on, below);
    if (pokes.length > 0) await machine.poke(pokes, below(2) === 0 ? 'store' : 'int3');
  }
  await machine.unmap(code);
  return results.size > 1;
}

/** Flips about half of the sites. */
function randomPokes(
  code: MappedCode,
  on: Set<Site>,
  below: (limit: number) => number,
): readonly Poke[] {
  return code.compiled.sites
    .filter(() => below(2) === 0)
    .map((at) => {
      const from = on.has(at.site);
      if (from) on.delete(at.site);
      else on.add(at.site);
      return { code, at, from, to: !from };
    });
}

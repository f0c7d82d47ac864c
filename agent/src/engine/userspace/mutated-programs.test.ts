/**
 * Programs with one to three fields changed. What is well-formed compiles; the interpreter, built with sanitizers, survives
 * anything; and what the verifier accepts runs to its end in both engines. SKEIN_FUZZ_SECONDS for longer than a moment.
 */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { RawInstruction } from '#agent/object/instructions.ts';
import { SkeinError } from '#common/errors.ts';
import { mulberry32 } from '../../../../test/support/random.ts';
import { ASAN_VM_PATH, useVm } from '../../helper/testing/servers.ts';
import { disassembleAll } from './isa/disassemble.ts';
import { type Site, siteAt } from './isa/sites.ts';
import { startsOfSubprograms } from './isa/subprograms.ts';
import { validate } from './isa/validate.ts';
import { compile } from './jit/compile.ts';
import { Machine, type RunInput } from './machine.ts';
import { MEMORY_BYTES, randomProgram } from './testing/random-program.ts';
import { verify } from './verifier/verify.ts';

const SECONDS = Number(process.env.SKEIN_FUZZ_SECONDS ?? 5);
const JIT = process.arch === 'x64';

type Random = (below: number) => number;

it('mutated programs break neither the engines nor their process', async (t) => {
  const machine = new Machine(await useVm(t, ASAN_VM_PATH));
  const counts = { made: 0, wellFormed: 0, accepted: 0 };
  const end = Date.now() + SECONDS * 1_000;
  for (let seed = 1; Date.now() < end || counts.accepted === 0; seed++) {
    const below = mulberry32(seed);
    const slots = mutate(randomProgram(below, { verifiable: true }).slots, below);
    counts.made += 1;
    if (validate(slots) !== undefined) continue;
    counts.wellFormed += 1;
    try {
      if (await tryOut(machine, slots, below)) counts.accepted += 1;
    } catch (cause) {
      throw new Error(`seed ${seed}:\n${disassembleAll(slots).join('\n')}`, { cause });
    }
  }
  t.diagnostic(JSON.stringify(counts));
});

/** Whether the verifier accepted it. */
async function tryOut(
  machine: Machine,
  slots: readonly RawInstruction[],
  below: Random,
): Promise<boolean> {
  const sites = [...slots.keys()].flatMap((slot) => siteAt(slots, slot) ?? []);
  const isOn = () => below(2) === 0;
  const compiled = compile(slots, sites);
  const input = { memory: new Uint8Array(MEMORY_BYTES), repeat: 1, timeLimitMs: 20 };
  const accepted = isAccepted(slots, sites);
  await outcomeOf(accepted, (limit) =>
    machine.interpret(slots, sites, isOn, { ...input, ...limit }),
  );
  if (!accepted || !JIT) return accepted;
  const code = await tryToMap(machine, compiled);
  if (code === undefined) return true;
  await outcomeOf(true, (limit) => machine.run(code, slots, { ...input, ...limit }));
  await machine.unmap(code);
  return true;
}

/** Code that never runs, of which the verifier says nothing, may name a map or a helper that is not there. */
async function tryToMap(machine: Machine, compiled: ReturnType<typeof compile>) {
  try {
    return await machine.map(compiled);
  } catch (thrown) {
    if (thrown instanceof SkeinError && thrown.code === 'SKEIN_BAD_PROGRAM') return undefined;
    throw thrown;
  }
}

function isAccepted(slots: readonly RawInstruction[], sites: readonly Site[]): boolean {
  const functions = startsOfSubprograms(slots).map((start) => ({ name: `f${start}`, start }));
  const kind = { type: 'memory', minimum: MEMORY_BYTES, maximum: MEMORY_BYTES } as const;
  return verify({ kind, slots, sites, functions, maps: [], gplCompatible: true }).accepted;
}

/** A program that was not accepted may fault, or go on for ever. */
async function outcomeOf(
  mustEnd: boolean,
  run: (limit: Partial<RunInput>) => Promise<unknown>,
): Promise<void> {
  try {
    await run(mustEnd ? { timeLimitMs: 10_000 } : {});
  } catch (thrown) {
    const expected = /^SKEIN_PROGRAM_(FAULT|TIME_LIMIT)$/;
    if (mustEnd || !(thrown instanceof SkeinError && expected.test(thrown.code))) throw thrown;
  }
}

function mutate(slots: readonly RawInstruction[], below: Random): readonly RawInstruction[] {
  const mutated = [...slots];
  for (let changes = 1 + below(3); changes > 0; changes--) {
    const at = below(mutated.length);
    const before = mutated[at];
    assert.ok(before);
    mutated[at] = { ...before, ...change(before, below) };
  }
  return mutated;
}

function change({ opcode, offset, imm }: RawInstruction, below: Random): Partial<RawInstruction> {
  switch (below(6)) {
    case 0:
      return { opcode: below(256) };
    case 1:
      return { opcode: opcode ^ (1 << below(8)) };
    case 2:
      return { dst: below(12) };
    case 3:
      return { src: below(12) };
    case 4:
      return { offset: below(2) === 0 ? offset + below(9) - 4 : below(0x10000) - 0x8000 };
    default:
      return { imm: below(2) === 0 ? imm ^ (1 << below(32)) : (below(0x7fff_ffff) - 5) | 0 };
  }
}

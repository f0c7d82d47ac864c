import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ASAN_VM_PATH, useVm, VM_PATH } from '../../helper/testing/servers.ts';
import { validate } from './isa/validate.ts';
import { compile } from './jit/compile.ts';
import { Machine, type RunInput, type RunResult } from './machine.ts';
import { type Case, readCases } from './testing/case-files.ts';

type Engine = (machine: Machine, each: Case, input: RunInput) => Promise<RunResult>;

const interpreter: Engine = (machine, { slots, sites, on }, input) =>
  machine.interpret(slots, sites, ({ instruction }) => on.includes(instruction), input);

const jit: Engine = async (machine, { slots, sites, on }, input) => {
  const code = await machine.map(compile(slots, sites));
  const pokes = code.compiled.sites
    .filter(({ site }) => on.includes(site.instruction))
    .map((at) => ({ code, at, from: false, to: true }));
  if (pokes.length > 0) await machine.poke(pokes, 'store');
  try {
    return await machine.run(code, slots, input);
  } finally {
    await machine.unmap(code);
  }
};

const NO_JIT = process.arch === 'x64' ? false : 'the JIT is for x86-64';

const ENGINES: readonly (readonly [string, string, Engine, string | false])[] = [
  ['interpreter', VM_PATH, interpreter, false],
  ['interpreter with sanitizers', ASAN_VM_PATH, interpreter, false],
  ['jit', VM_PATH, jit, NO_JIT],
  ['jit, process with sanitizers', ASAN_VM_PATH, jit, NO_JIT],
];

for (const [name, path, engine, skip] of ENGINES) {
  describe(name, { skip }, () => {
    for (const { file, cases } of readCases()) {
      it(file, async (t) => {
        const machine = new Machine(await useVm(t, path));
        for (const each of cases) await check(machine, engine, each);
      });
    }
  });
}

async function check(machine: Machine, engine: Engine, each: Case): Promise<void> {
  const { name, slots, memory, memoryAfter, expected } = each;
  const input = { memory, repeat: 1, timeLimitMs: expected.kind === 'time-limit' ? 50 : 5_000 };
  assert.equal(validate(slots), undefined, name);
  const run = engine(machine, each, input);
  if (expected.kind === 'time-limit')
    return await assert.rejects(run, { code: 'SKEIN_PROGRAM_TIME_LIMIT' }, name);
  if (expected.kind === 'fault') {
    return await assert.rejects(run, (error: unknown) => {
      assert.ok(error instanceof Error && 'code' in error, name);
      assert.equal(error.code, 'SKEIN_PROGRAM_FAULT', name);
      assert.ok(error.message.startsWith(expected.place), `${name}: ${error.message}`);
      return true;
    });
  }
  const result = await run;
  assert.equal(`0x${result.value.toString(16)}`, `0x${expected.value.toString(16)}`, name);
  if (memoryAfter !== undefined) assert.deepEqual([...result.memory], [...memoryAfter], name);
}

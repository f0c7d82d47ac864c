import { fileURLToPath } from 'node:url';
import { disassemble } from '#agent/engine/userspace/isa/disassemble.ts';
import { slotsOfBytes } from '#agent/engine/userspace/isa/program-bytes.ts';
import { markedSites, type Site, siteAt } from '#agent/engine/userspace/isa/sites.ts';
import { startsOfSubprograms } from '#agent/engine/userspace/isa/subprograms.ts';
import { compile } from '#agent/engine/userspace/jit/compile.ts';
import { Machine, type RunInput, type RunResult } from '#agent/engine/userspace/machine.ts';
import { verify } from '#agent/engine/userspace/verifier/verify.ts';
import { startVm } from '#agent/helper/helper-process.ts';
import { type RawInstruction, SLOT } from '#agent/object/instructions.ts';
import { SkeinError } from '#common/errors.ts';
import type { EngineName } from './engine-name.ts';

export interface ProgramRun {
  /** Undefined: the JIT where there is one for this processor. */
  readonly engine: EngineName | undefined;
  /** Slot of the jump of a site → whether its key is on; the others are off. */
  readonly keys: ReadonlyMap<number, boolean>;
  readonly program: Uint8Array;
  readonly memory: Uint8Array;
}

const VM = fileURLToPath(new URL('../../../agent/libskein/build/skein-vm', import.meta.url));
const TIME_LIMIT_MS = 5_000;

/**
 * Runs instructions in a process of their own, with r1 the address of the memory and r2 its length.
 * @returns r0
 * @throws SkeinError SKEIN_BAD_PROGRAM, SKEIN_PROGRAM_FAULT, SKEIN_PROGRAM_TIME_LIMIT, SKEIN_UNSUPPORTED_MACHINE,
 * SKEIN_INVALID_ARGUMENT for a site that is none
 */
export async function runProgram({ engine, keys, program, memory }: ProgramRun): Promise<bigint> {
  const slots = readProgram(program);
  const sites = sitesOf(slots, keys);
  requireSound(slots, sites, memory.length);
  const input: RunInput = { memory, repeat: 1, timeLimitMs: TIME_LIMIT_MS };
  const isOn = ({ instruction }: Site) => keys.get(instruction) ?? false;
  const vm = await startVm(VM);
  try {
    const machine = new Machine(vm);
    const chosen = engine ?? (process.arch === 'x64' ? 'jit' : 'interpreter');
    const { value } =
      chosen === 'jit'
        ? await runCompiled(machine, slots, sites, isOn, input)
        : await machine.interpret(slots, sites, isOn, input);
    return value;
  } finally {
    await vm.close();
  }
}

/** Loads the code with every key off, and pokes it to what is wanted. */
async function runCompiled(
  machine: Machine,
  slots: readonly RawInstruction[],
  sites: readonly Site[],
  isOn: (site: Site) => boolean,
  input: RunInput,
): Promise<RunResult> {
  const code = await machine.map(compile(slots, sites));
  const pokes = code.compiled.sites
    .filter(({ site }) => isOn(site))
    .map((at) => ({ code, at, from: false, to: true }));
  if (pokes.length > 0) await machine.poke(pokes, 'store');
  return await machine.run(code, slots, input);
}

function readProgram(bytes: Uint8Array): readonly RawInstruction[] {
  if (bytes.length % SLOT !== 0)
    throw new SkeinError(
      'SKEIN_BAD_PROGRAM',
      `${bytes.length} bytes are no whole number of instructions`,
      { remedy: 'Give 8 bytes for each instruction.' },
    );
  return slotsOfBytes(bytes);
}

/** @throws SkeinError SKEIN_BAD_PROGRAM with the instruction that is wrong */
function requireSound(
  slots: readonly RawInstruction[],
  sites: readonly Site[],
  memoryBytes: number,
): void {
  const functions = startsOfSubprograms(slots).map((start) => ({ name: `f${start}`, start }));
  const kind = { type: 'memory', minimum: memoryBytes, maximum: memoryBytes } as const;
  const result = verify({ kind, slots, sites, functions, maps: [], gplCompatible: true });
  if (result.accepted) return;
  const { instruction, text, reason } = result;
  throw new SkeinError('SKEIN_BAD_PROGRAM', `instruction ${instruction}: ${text}: ${reason}`);
}

/** Those that are marked, and those that are named. */
function sitesOf(
  slots: readonly RawInstruction[],
  keys: ReadonlyMap<number, boolean>,
): readonly Site[] {
  const sites = markedSites(slots);
  for (const slot of keys.keys()) {
    if (sites.some(({ instruction }) => instruction === slot)) continue;
    const site = siteAt(slots, slot);
    if (site === undefined) {
      const what = slots[slot] === undefined ? 'no instruction' : disassemble(slots, slot);
      throw new SkeinError(
        'SKEIN_INVALID_ARGUMENT',
        `--set: no static branch at ${slot}: ${what}`,
        {
          remedy: 'Name the number of an instruction that is a static branch.',
        },
      );
    }
    sites.push(site);
  }
  return sites;
}

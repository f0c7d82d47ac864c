import { readFileSync } from 'node:fs';
import { compile } from '#agent/engine/userspace/jit/compile.ts';
import { Machine, type MappedCode } from '#agent/engine/userspace/machine.ts';
import type { Helper, Vm } from '#agent/helper/helper.ts';
import { bpfObject } from './paths.ts';
import { cpuNs } from './processor.ts';
import { median } from './statistics.ts';
import { linkObject, makeMaps, type Subject, subjectOf } from './userspace-subject.ts';

/** Programs of test/bench/bpf/userspace.bpf.c. The interpreter has no maps. */
const PURE = ['checksum', 'mix', 'divide', 'classify', 'sort', 'calls'];
const WITH_MAPS = ['array', 'hash'];
const EMPTY = 'empty';

const PACKET_BYTES = 512;
const TURN_NS = 4e6;
const TIME_LIMIT_MS = 60_000;
/** Of a test run in the kernel, as the helper allows it. */
const REPEAT_MAX = 1e6;

/** A program in one engine. */
export interface Run {
  /** The process that it takes the time of. */
  readonly pid: number;
  /** So many times in a row. Gives what the last run returned. */
  go(repeat: number): Promise<number>;
}

/** Nanoseconds per run without what an empty program takes. Those of one index were taken right after each other. */
export interface EngineTimes {
  readonly program: string;
  readonly kernel: readonly number[];
  readonly jit: readonly number[];
  /** Empty for a program with maps. */
  readonly interpreter: readonly number[];
}

/**
 * The same programs of the same object on the same packet: the kernel's JIT through the helper's test run, ours and the
 * interpreter in skein-vm. Both processes are on one processor, and what counts is the time that each had.
 *
 * @param rounds turns of each program in each engine
 * @throws Error when engines come to different results
 */
export async function measureEngines(
  helper: Helper,
  vm: Vm,
  rounds: number,
): Promise<readonly EngineTimes[]> {
  const engines = await prepareEngines(helper, vm);
  const clock = new TurnClock(TURN_NS);
  const empty = await clock.start(engines(EMPTY));
  const times: EngineTimes[] = [];
  for (const program of [...PURE, ...WITH_MAPS]) {
    const runs = engines(program);
    const started = await clock.start(WITH_MAPS.includes(program) ? runs.slice(0, 2) : runs);
    const samples: number[][] = runs.map(() => []);
    for (let round = 0; round < rounds; round++) {
      const turns = [...started.entries()];
      // Who comes first has other caches to fill.
      if (round % 2 === 1) turns.reverse();
      for (const [engine, turn] of turns) {
        samples[engine]?.push((await turn()) - ((await empty[engine]?.()) ?? 0));
      }
    }
    const [kernel = [], jit = [], interpreter = []] = samples;
    times.push({ program, kernel, jit, interpreter });
  }
  return times;
}

/** Nanoseconds per run. */
type Turn = () => Promise<number>;

export class TurnClock {
  readonly #turnNs: number;

  /** `turnNs`: how long a turn is, about. What its request takes is not in its time. */
  constructor(turnNs: number) {
    this.#turnNs = turnNs;
  }

  /**
   * Turns of runs that give the same result.
   *
   * @throws Error when a result is another than the first one's
   */
  async start(runs: readonly Run[]): Promise<readonly Turn[]> {
    const turns: Turn[] = [];
    let expected: number | undefined;
    for (const run of runs) {
      const result = await run.go(1);
      expected ??= result;
      if (result !== expected) throw new Error(`one engine gives ${result}, another ${expected}`);
      turns.push(await this.turn(run));
    }
    return turns;
  }

  async turn(run: Run): Promise<Turn> {
    const request = await this.#usual(run, 1);
    let repeat = 400;
    let time = await this.#usual(run, repeat);
    // What is much shorter says little of the next one.
    while (time < this.#turnNs / 4 && repeat < REPEAT_MAX) {
      repeat = Math.min(REPEAT_MAX, repeat * 8);
      time = await this.#usual(run, repeat);
    }
    repeat = Math.min(REPEAT_MAX, Math.ceil((repeat * this.#turnNs) / time));
    return async () => ((await this.#time(run, repeat)) - request) / repeat;
  }

  /** One that took long for reasons of its own must not decide about all that follow. */
  async #usual(run: Run, repeat: number): Promise<number> {
    const times: number[] = [];
    for (let each = 0; each < 5; each++) times.push(await this.#time(run, repeat));
    return median(times);
  }

  async #time(run: Run, repeat: number): Promise<number> {
    const before = cpuNs(run.pid);
    await run.go(repeat);
    return cpuNs(run.pid) - before;
  }
}

/** A program's runs in kernel, JIT and interpreter. */
async function prepareEngines(
  helper: Helper,
  vm: Vm,
): Promise<(program: string) => readonly Run[]> {
  const object = readFileSync(bpfObject('userspace'));
  const linked = linkObject(object);
  const machine = new Machine(vm);
  const maps = await makeMaps(vm, linked.maps);
  const programs = [EMPTY, ...PURE, ...WITH_MAPS];
  const loaded = await helper.request('load', { object, name: 'bench', programs, reuse: [] });
  const runs = new Map<string, readonly Run[]>();
  for (const { name, program } of loaded.programs) {
    const subject = subjectOf(linked.input(name));
    const code = await machine.map(compile(subject.slots, subject.sites, linked.maps), maps);
    runs.set(name, [
      inKernel(helper, program),
      compiled(vm, code, subject),
      interpreted(vm, subject),
    ]);
  }
  return (program) => runs.get(program) ?? [];
}

/** Bytes without a pattern, the same each time. */
const packet = Uint8Array.from(
  { length: PACKET_BYTES },
  (_, at) => (Math.imul(at, 0x9e3779b1) >>> 13) & 0xff,
);

const inKernel = (helper: Helper, program: number): Run => ({
  pid: helper.pid,
  go: async (repeat) =>
    (await helper.request('testRun', { program, dataIn: packet, repeat })).returnValue,
});

const inputOf = (repeat: number) => ({ memory: packet, repeat, timeLimitMs: TIME_LIMIT_MS });

export const compiled = (vm: Vm, code: MappedCode, { slots }: Subject): Run => ({
  pid: vm.pid,
  go: async (repeat) => verdictOf(await new Machine(vm).run(code, slots, inputOf(repeat))),
});

const interpreted = (vm: Vm, { slots, sites }: Subject): Run => ({
  pid: vm.pid,
  go: async (repeat) =>
    verdictOf(await new Machine(vm).interpret(slots, sites, () => false, inputOf(repeat))),
});

/** The kernel keeps 32 bits of r0. */
const verdictOf = ({ value }: { readonly value: bigint }): number =>
  Number(BigInt.asUintN(32, value));

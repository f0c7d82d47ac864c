import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { readObject } from '#agent/object/read-object.ts';
import { bpfObject, GUARD } from './paths.ts';
import type { BenchReport } from './report.ts';
import { median, rounded } from './statistics.ts';

/** Milliseconds. `cpu` is what the thread itself used: it leaves out waiting for a processor, and the collector's helpers. */
export interface Stages {
  readonly lift: number;
  readonly edit: number;
  readonly lower: number;
  readonly total: number;
  readonly cpu: number;
}

/** Of one process. */
export interface SpecialiseMeasurement {
  /** With nothing compiled yet by V8: what the first variant after a start takes. */
  readonly first: Stages;
  /** Bytes that the resident set had grown by at most when the first was done. */
  readonly firstPeak: number;
  readonly later: readonly Stages[];
}

export interface SpecialiseRounds {
  /** Each a fresh one. */
  readonly processes: number;
  /** Specialisations in each, at least 2. */
  readonly runs: number;
}

const ROUNDS: SpecialiseRounds = { processes: 5, runs: 8 };

const PROCESS = fileURLToPath(new URL('specialise-process.ts', import.meta.url));

/** Time and memory of lift → edit → lower, for the guard example and for an object of 50,000 instructions. */
export async function benchSpecialise(rounds: SpecialiseRounds = ROUNDS): Promise<BenchReport> {
  const objects = { small: GUARD, large: bpfObject('large') };
  const results: [string, Summary][] = [];
  for (const [name, path] of Object.entries(objects)) {
    results.push([name, summary(path, await measure(path, rounds))]);
  }
  return {
    table: [
      [
        'object',
        'instructions',
        'sites',
        'first',
        'next',
        'lift',
        'edit',
        'lower',
        'CPU',
        'memory',
      ],
      ...results.map(([name, result]) => [
        name,
        `${result.instructions}`,
        `${result.sites}`,
        ...[result.first_ms, result.ms, result.lift_ms, result.edit_ms, result.lower_ms].map(ms),
        ms(result.cpu_ms),
        `${(result.peak_bytes / 1e6).toFixed(1)} MB`,
      ]),
    ],
    json: { bench: 'specialise', ...Object.fromEntries(results) },
  };
}

const ms = (value: number): string => `${value} ms`;

async function measure(
  path: string,
  { processes, runs }: SpecialiseRounds,
): Promise<readonly SpecialiseMeasurement[]> {
  const measured: SpecialiseMeasurement[] = [];
  for (let count = 0; count < processes; count++) {
    const { stdout } = await promisify(execFile)(process.execPath, [PROCESS, path, `${runs}`]);
    measured.push(JSON.parse(stdout));
  }
  return measured;
}

type Summary = ReturnType<typeof summary>;

/** Medians over processes, and over the later runs of all of them. */
function summary(path: string, measured: readonly SpecialiseMeasurement[]) {
  const { functions, keys } = readObject(readFileSync(path));
  const later = measured.flatMap((each) => each.later);
  const medianOf = (stage: keyof Stages, of: readonly Stages[]) =>
    rounded(median(of.map((stages) => stages[stage])));
  const first = measured.map((each) => each.first);
  return {
    instructions: functions.reduce((sum, fn) => sum + fn.length, 0),
    sites: keys.reduce((sum, key) => sum + key.sites.length, 0),
    first_ms: medianOf('total', first),
    first_cpu_ms: medianOf('cpu', first),
    ms: medianOf('total', later),
    lift_ms: medianOf('lift', later),
    edit_ms: medianOf('edit', later),
    lower_ms: medianOf('lower', later),
    cpu_ms: medianOf('cpu', later),
    peak_bytes: Math.max(...measured.map((each) => each.firstPeak)),
  };
}

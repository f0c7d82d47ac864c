import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { lift } from '#agent/program/lift.ts';
import { lower } from '#agent/program/lower.ts';
import { lowerDynamic } from '#agent/program/lower-dynamic.ts';
import { specialise } from '#agent/program/specialise.ts';
import { type FormTimes, parseHotpath } from './hotpath-output.ts';
import { bpfObject, native } from './paths.ts';
import type { BenchReport } from './report.ts';
import { formatNs, median, quartiles, rounded } from './statistics.ts';

/** Sites in test/bench/bpf/hotpath.bpf.c. */
const SITES = 16;

/** Numbers of pairs for each form. */
export interface HotpathRounds {
  readonly warm: number;
  readonly cold: number;
}

const ROUNDS: HotpathRounds = { warm: 320, cold: 64 };

const LABELS: Readonly<Record<string, string>> = {
  none: 'none: deleted from the source',
  control: 'none, once more: the noise',
  specialised: 'Skein, specialised',
  dispatched: '  behind its dispatcher',
  dynamic: 'Skein, dynamic',
  global: 'global variable',
  rodata: 'constant in frozen .rodata',
  array: 'array map lookup',
  hash: 'hash map lookup',
  tail_call: 'program array, a subprogram each',
};

/** What 16 flags that are off cost the program they are in, for each way of writing a flag. */
export async function benchHotpath(rounds: HotpathRounds = ROUNDS): Promise<BenchReport> {
  const directory = mkdtempSync(join(tmpdir(), 'skein-bench-'));
  try {
    const forms = makeForms(directory);
    const { stdout } = await promisify(execFile)(
      native('hotpath'),
      [`${rounds.warm}`, `${rounds.cold}`, ...forms],
      { maxBuffer: 2 ** 28 },
    );
    return report(parseHotpath(stdout));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Arguments of test/bench/native/hotpath.c: each form's object, none first. */
function makeForms(directory: string): readonly string[] {
  const lifted = lift(readFileSync(bpfObject('hotpath-key')));
  const write = (name: string, bytes: Uint8Array): string => {
    const file = join(directory, `${name}.o`);
    writeFileSync(file, bytes);
    return file;
  };
  const specialised = write('specialised', lower(specialise(lifted, new Map([['flag', false]]))));
  const dynamic = write('dynamic', lower(lowerDynamic(lifted)));
  return [
    `none=${bpfObject('hotpath-none')}`,
    `control=${bpfObject('hotpath-none')}`,
    `specialised=${specialised}`,
    `dispatched@${specialised}`,
    `dynamic=${dynamic}`,
    ...['global', 'rodata', 'array', 'hash', 'tail_call'].map(
      (form) => `${form}=${bpfObject(`hotpath-${form}`)}`,
    ),
  ];
}

function report(measured: ReadonlyMap<string, FormTimes>): BenchReport {
  const none = measured.get('none');
  const results = [...measured].map(([name, form]) => [name, summary(form, none)] as const);
  const byName = new Map(results);
  const [specialised, control] = [byName.get('specialised'), byName.get('control')];
  if (!specialised || !control) throw new Error('hotpath did not measure every form');
  return {
    table: [
      [
        '16 flags, off',
        'bytes/site',
        'instructions',
        'warm',
        'of none',
        'ns/site',
        'cold',
        'of none',
      ],
      ...results.map(([name, { warm, cold, ...form }]) => [
        LABELS[name] ?? name,
        `${rounded(form.extra_bytes_per_site)}`,
        `${form.translated_instructions}`,
        ...(warm
          ? [formatNs(warm.ns), `${warm.ratio.p50} ×`, `${warm.ns_per_site}`]
          : ['', '', '']),
        ...(cold ? [formatNs(cold.ns), `${cold.ratio.p50} ×`] : ['', '']),
      ]),
    ],
    json: {
      bench: 'hotpath',
      sites: SITES,
      off_extra_bytes_per_site: specialised.extra_bytes_per_site,
      off_same_instructions: specialised.same_instructions,
      off_vs_none_ratio: specialised.warm?.ratio.p50,
      off_vs_none_cold_ratio: specialised.cold?.ratio.p50,
      control_ratio: control.warm?.ratio.p50,
      control_cold_ratio: control.cold?.ratio.p50,
      forms: Object.fromEntries(results),
    },
  };
}

function summary(form: FormTimes, none: FormTimes | undefined) {
  return {
    translated_instructions: form.instructions,
    jited_bytes: form.jitedBytes,
    extra_bytes_per_site: (form.jitedBytes - (none?.jitedBytes ?? 0)) / SITES,
    same_instructions: form.same,
    warm: timesOf(form.warm),
    cold: timesOf(form.cold),
  };
}

/** Each form is compared with its own partner in the pair; the medians of all are for orientation. */
function timesOf(pairs: FormTimes['warm']) {
  if (pairs.length === 0) return undefined;
  const { p25, p50, p75 } = quartiles(pairs.map(({ none, form }) => form / none));
  return {
    none_ns: rounded(median(pairs.map(({ none }) => none))),
    ns: rounded(median(pairs.map(({ form }) => form))),
    ratio: { p25: rounded(p25), p50: rounded(p50), p75: rounded(p75) },
    ns_per_site: rounded(median(pairs.map(({ none, form }) => (form - none) / SITES))),
    pairs: pairs.length,
  };
}

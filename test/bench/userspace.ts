import { readFileSync } from 'node:fs';
import { compile } from '#agent/engine/userspace/jit/compile.ts';
import { Machine } from '#agent/engine/userspace/machine.ts';
import { startHelper, startVm } from '#agent/helper/helper-process.ts';
import { labPinRoot } from '#lab/sweep.ts';
import { bpfObject, HELPER, VM } from './paths.ts';
import { memoryOf, stayOnOneProcessor } from './processor.ts';
import type { BenchReport } from './report.ts';
import { formatNs, median, quantiles, quartiles, ratio, rounded } from './statistics.ts';
import { type EngineTimes, measureEngines } from './userspace-engines.ts';
import { measurePokes, type PokeSamples } from './userspace-poke.ts';
import { measureSites, SITES, type SiteTimes } from './userspace-sites.ts';
import { linkObject, makeMaps, subjectOf } from './userspace-subject.ts';
import { measureVerifier, VERIFIED, type VerifierTimes } from './userspace-verifier.ts';

/** How often each is measured. */
export interface UserspaceRounds {
  readonly engines: number;
  readonly sites: number;
  readonly pokes: number;
  /** At least 2. */
  readonly verifications: number;
}

const ROUNDS: UserspaceRounds = { engines: 15, sites: 24, pokes: 3_000, verifications: 12 };

/** What the userspace engine costs, held against the kernel's engine, plain C, and code without sites. */
export async function benchUserspace(rounds: UserspaceRounds = ROUNDS): Promise<BenchReport> {
  const verifier: (VerifierTimes & { readonly program: string })[] = [];
  for (const [program, object] of VERIFIED) {
    verifier.push({ program, ...(await measureVerifier(program, object, rounds.verifications)) });
  }
  const pokes = await measurePokes(rounds.pokes);
  return report({ verifier, pokes, ...(await measureRuns(rounds)) });
}

/** What is run in processes of its own. */
interface Runs {
  readonly engines: readonly EngineTimes[];
  readonly flags: SiteTimes;
  readonly overlapped: SiteTimes;
  /** Bytes. */
  readonly resident: number;
}

interface Measured extends Runs {
  readonly verifier: readonly (VerifierTimes & { readonly program: string })[];
  readonly pokes: PokeSamples;
}

async function measureRuns({ engines, sites }: UserspaceRounds): Promise<Runs> {
  const helper = await startHelper({ path: HELPER, pinRoot: labPinRoot() });
  const vm = await startVm(VM);
  try {
    for (const { pid } of [helper, vm]) stayOnOneProcessor(pid);
    const measured = {
      engines: await measureEngines(helper, vm, engines),
      flags: await measureSites(vm, 'flags', sites),
      overlapped: await measureSites(vm, 'overlapped', sites),
    };
    // All code and all maps of the above are still there.
    const large = linkObject(readFileSync(bpfObject('large')));
    const subject = subjectOf(large.input('large'));
    const maps = await makeMaps(vm, large.maps);
    await new Machine(vm).map(compile(subject.slots, subject.sites), maps);
    return { ...measured, resident: memoryOf(vm.pid, 'VmRSS') };
  } finally {
    await vm.close();
    await helper.close();
  }
}

function report({ verifier, pokes, engines, flags, overlapped, resident }: Measured): BenchReport {
  const programs = engines.map((times) => [times.program, summary(times)] as const);
  const ofKernel = programs.map(([, { jit_vs_kernel_ratio }]) => jit_vs_kernel_ratio.p50);
  const ofInterpreter = programs.flatMap(
    ([, { jit_vs_interpreter_ratio }]) => jit_vs_interpreter_ratio?.p50 ?? [],
  );
  const speeds = verifier.map((times) => [times.program, speedOf(times)] as const);
  const [poke, floor] = [quantiles(pokes.poke), quantiles(pokes.floor)];
  const off = ratios(flags.off, flags.none);
  const overlappedOff = ratios(overlapped.off, overlapped.none);
  const megabytes = rounded(resident / 1e6);
  return {
    table: [
      ['userspace engine', 'time', 'of', 'of its', 'is', 'p25', 'p75'],
      row(`${SITES} sites off`, flags.off, 'none', flags.none, off),
      row('  two runs at a time', overlapped.off, 'none', overlapped.none, overlappedOff),
      row('poke', pokes.poke, 'floor', pokes.floor, ratios(pokes.poke, pokes.floor)),
      ...engines.map(({ program, jit, kernel }) =>
        row(`JIT: ${program}`, jit, "kernel's", kernel, ratios(jit, kernel)),
      ),
      ...engines.flatMap(({ program, jit, interpreter }) =>
        interpreter.length === 0
          ? []
          : [row(`interpreter: ${program}`, interpreter, "JIT's", jit, ratios(interpreter, jit))],
      ),
      ...speeds.map(([program, { insns_per_s, first_insns_per_s }]) => [
        `verifier: ${program}`,
        `${insns_per_s}/s`,
        'first',
        `${first_insns_per_s}/s`,
        '',
        '',
        '',
      ]),
      ['skein-vm', `${megabytes} MB`, '', '', '', '', ''],
    ],
    json: {
      bench: 'userspace',
      off_vs_none_ratio: off.p50,
      poke_vs_floor_ratio: ratio(poke.p50, floor.p50),
      jit_vs_kernel_ratio: Math.max(...ofKernel),
      jit_vs_interpreter_ratio: Math.min(...ofInterpreter),
      verifier_insns_per_s: speedOfAll(verifier),
      helper_rss_mb: megabytes,
      off_site_is_one_nop: flags.isOneNop && overlapped.isOneNop,
      sites: SITES,
      off_ratio: off,
      off_control_ratio: ratios(flags.control, flags.none),
      off_overlapped_ratio: overlappedOff,
      off_overlapped_control_ratio: ratios(overlapped.control, overlapped.none),
      poke_ns: poke,
      poke_floor_ns: floor,
      programs: Object.fromEntries(programs),
      verifier: Object.fromEntries(speeds),
    },
  };
}

function row(
  label: string,
  of: readonly number[],
  to: string,
  other: readonly number[],
  { p25, p50, p75 }: ReturnType<typeof ratios>,
): readonly string[] {
  const times = [precise(median(of)), to, precise(median(other))];
  return [label, ...times, `${p50} ×`, `${p25}`, `${p75}`];
}

const precise = (ns: number): string => (ns < 100 ? `${ns.toFixed(1)} ns` : formatNs(ns));

/** Of neighbours: slow drifts of the machine do not count. */
function ratios(of: readonly number[], to: readonly number[]) {
  const each = quartiles(of.map((value, index) => value / (to[index] ?? Number.NaN)));
  return { p25: rounded(each.p25), p50: rounded(each.p50), p75: rounded(each.p75) };
}

function summary({ kernel, jit, interpreter }: EngineTimes) {
  return {
    kernel_ns: rounded(median(kernel)),
    jit_ns: rounded(median(jit)),
    jit_vs_kernel_ratio: ratios(jit, kernel),
    ...(interpreter.length > 0 && {
      interpreter_ns: rounded(median(interpreter)),
      jit_vs_interpreter_ratio: ratios(interpreter, jit),
    }),
    turns: jit.length,
  };
}

/** Of all programs one after the other. */
function speedOfAll(times: readonly VerifierTimes[]): number {
  const instructions = times.reduce((sum, each) => sum + each.instructions, 0);
  const seconds = times.reduce((sum, each) => sum + median(each.seconds.slice(1)), 0);
  return Math.round(rounded(instructions / seconds));
}

function speedOf({ instructions, seconds }: VerifierTimes) {
  const [first = 0, ...later] = seconds;
  const perSecond = (time: number) => Math.round(rounded(instructions / time));
  return {
    instructions,
    insns_per_s: perSecond(median(later)),
    first_insns_per_s: perSecond(first),
  };
}

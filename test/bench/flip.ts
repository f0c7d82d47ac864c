import { startHelper } from '#agent/helper/helper-process.ts';
import { createLabHost, type LabHost } from '#lab/netns.ts';
import { labPinRoot, sweepLab } from '#lab/sweep.ts';
import { type ColdFlips, measureColdFlips } from './cold-flip.ts';
import { attachSubject, LARGE, SMALL } from './flip-subject.ts';
import { HELPER } from './paths.ts';
import { stayOnOneProcessor } from './processor.ts';
import type { BenchReport } from './report.ts';
import { startRival } from './rival.ts';
import { formatNs, median, quantiles, ratio, rounded } from './statistics.ts';

/** How often each is measured. */
export interface FlipRounds {
  readonly cheap: number;
  readonly reload: number;
  readonly reloadLarge: number;
  readonly cold: number;
  readonly coldLarge: number;
}

const ROUNDS: FlipRounds = { cheap: 2_000, reload: 60, reloadLarge: 8, cold: 20, coldLarge: 5 };

/**
 * What a flip costs, each way measured around the work alone, in native code: the helper's variable store and slot
 * swap; the bare system calls; and what people do today, load anew and update the link. Interleaved in one run, on the
 * guard example and on a program of 50,000 instructions, attached to devices of network namespaces made for it.
 */
export async function benchFlip(rounds: FlipRounds = ROUNDS): Promise<BenchReport> {
  sweepLab();
  const hosts: LabHost[] = [];
  const host = (name: string): LabHost => {
    const made = createLabHost(name);
    hosts.push(made);
    return made;
  };
  try {
    const cold = await measureColdFlips(SMALL, host('cold'), rounds.cold);
    const coldLarge = await measureColdFlips(LARGE, host('cold-large'), rounds.coldLarge);
    return report(await measure(host, rounds), cold, coldLarge);
  } finally {
    for (const made of hosts) made.remove();
  }
}

/** Nanoseconds. Those of one index were taken right after each other. */
interface Samples {
  readonly write: number[];
  readonly swap: number[];
  readonly swapLarge: number[];
  readonly writeFloor: number[];
  readonly swapFloor: number[];
  readonly reload: number[];
  readonly reloadLarge: number[];
}

async function measure(host: (name: string) => LabHost, rounds: FlipRounds): Promise<Samples> {
  const helper = await startHelper({ path: HELPER, pinRoot: labPinRoot() });
  const rival = startRival(SMALL.object, SMALL.name, host('rival'));
  const rivalLarge = startRival(LARGE.object, LARGE.name, host('rival-large'));
  const samples: Samples = {
    write: [],
    swap: [],
    swapLarge: [],
    writeFloor: [],
    swapFloor: [],
    reload: [],
    reloadLarge: [],
  };
  try {
    stayOnOneProcessor(helper.pid);
    const small = await attachSubject(helper, SMALL, host('small'));
    const large = await attachSubject(helper, LARGE, host('large'));
    const steps = [
      async () => samples.write.push(await small.writeVariable()),
      async () => samples.swap.push(await small.swapSlot()),
      async () => samples.swapFloor.push(await rival.measure('swap')),
      async () => samples.swapLarge.push(await large.swapSlot()),
      async () => samples.writeFloor.push(await rival.measure('variable')),
    ];
    for (let round = 0; round < rounds.cheap; round++) {
      for (const step of steps) await step();
      // Who comes first has other caches and clocks to wake.
      steps.reverse();
    }
    for (let round = 0; round < rounds.reload; round++) {
      samples.reload.push(await rival.measure('reload'));
    }
    for (let round = 0; round < rounds.reloadLarge; round++) {
      samples.reloadLarge.push(await rivalLarge.measure('reload'));
    }
    return samples;
  } finally {
    await helper.close();
    await rival.stop();
    await rivalLarge.stop();
  }
}

function report(samples: Samples, cold: ColdFlips, coldLarge: ColdFlips): BenchReport {
  const swap = quantiles(samples.swap);
  const rows: readonly (readonly [label: string, field: string, durations: readonly number[]])[] = [
    ['variable write (helper)', 'variable_write_ns', samples.write],
    ['  its floor: map update, bare syscall', 'variable_syscall_ns', samples.writeFloor],
    ['slot swap (helper)', 'slot_swap_ns', samples.swap],
    ['  its floor: slot update, bare syscall', 'slot_syscall_ns', samples.swapFloor],
    ['  of 50,000 instructions', 'large_slot_swap_ns', samples.swapLarge],
    ['cold flip, in force (engine)', 'cold_flip_ns', cold.inForce],
    ['  settled: specialised again', 'settle_ns', cold.settled],
    ['cold flip of 50,000 instructions', 'large_cold_flip_ns', coldLarge.inForce],
    ['  settled: specialised again', 'large_settle_ns', coldLarge.settled],
    ['load anew + XDP link update (today)', 'reload_ns', samples.reload],
    ['  of 50,000 instructions', 'large_reload_ns', samples.reloadLarge],
  ];
  const measured = rows.map(([label, field, durations]) => {
    return { label, field, durations: quantiles(durations) };
  });
  return {
    table: [
      ['flip by', 'p50', 'p99', 'of a swap', 'samples'],
      ...measured.map(({ label, durations: { p50, p99, samples } }) => [
        label,
        formatNs(p50),
        formatNs(p99),
        `${ratio(p50, swap.p50)} ×`,
        `${samples}`,
      ]),
    ],
    json: {
      bench: 'flip',
      ...Object.fromEntries(measured.map(({ field, durations }) => [field, durations])),
      swap_vs_floor_ratio: pairwise(samples.swap, samples.swapFloor),
      large_vs_small_flip_ratio: pairwise(samples.swapLarge, samples.swap),
      reload_vs_swap_ratio: ratio(median(samples.reload), swap.p50),
      large_reload_vs_swap_ratio: ratio(median(samples.reloadLarge), median(samples.swapLarge)),
      reload_vs_write_ratio: ratio(median(samples.reload), median(samples.write)),
    },
  };
}

/** Median of the ratios of neighbours: slow drifts of the machine do not count. */
const pairwise = (of: readonly number[], to: readonly number[]): number =>
  rounded(median(of.map((value, index) => value / (to[index] ?? Number.NaN))));

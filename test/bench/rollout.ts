import { hostHash } from '#common/targeting/portion.ts';
import { Fleet } from '#controller/fleet/fleet.ts';
import type { KnownHost } from '#controller/fleet/host.ts';
import { previewOf } from '#controller/rollout/plan/preview.ts';
import { Tally } from '#controller/rollout/plan/tally.ts';
import { step } from '#controller/rollout/step/step.ts';
import { ManualClock } from '../support/manual-clock.ts';
import type { BenchReport } from './report.ts';
import {
  benchFleet,
  KEY,
  keyState,
  NOW,
  observationOf,
  rulesAt,
  runningHalf,
  SPEC,
} from './rollout-fleet.ts';
import { formatNs, median, quantiles, ratio, rounded } from './statistics.ts';

export interface RolloutRounds {
  readonly hosts: number;
  readonly keys: number;
  /** Plans, each of all steps. */
  readonly plans: number;
  /** In each, every host acknowledges once. */
  readonly acks: number;
}

const ROUNDS: RolloutRounds = { hosts: 10_000, keys: 1_000, plans: 40, acks: 20 };
const KEYS_PER_HOST = 100;
const ACKED_KEYS_PER_HOST = 10;
/** V8 compiles what is hot in the first rounds. */
const WARM_UP = 3;

/** What the controller's pure parts of a rollout cost, in this process, in nanoseconds. */
export async function benchRollout(rounds: RolloutRounds = ROUNDS): Promise<BenchReport> {
  const plans = measurePlans(rounds);
  const acks = measureAcks(rounds);
  const rows = {
    plan_ns: ['plan: preview of all steps', plans.preview],
    plan_cpu_ns: ['  CPU, all threads', plans.cpu],
    take_ns: ['the rules of one widening', plans.take],
    hash_ns: ['  floor: hashing the names of all hosts', plans.hash],
    ack_ns: ['ack: tally and step', acks.judged],
    ack_cpu_ns: ['  CPU, all threads', acks.cpu],
    ack_fleet_ns: ['  floor: the fleet view that is told first', acks.told],
  } as const;
  const measured = Object.entries(rows).map(([field, [label, samples]]) => {
    return { field, label, ...quantiles(samples) };
  });
  return {
    table: [
      ['', 'p50', 'p99', 'samples'],
      ...measured.map(({ label, p50, p99, samples }) => {
        return [label, formatNs(p50), formatNs(p99), `${samples}`];
      }),
    ],
    json: {
      bench: 'rollout',
      hosts: rounds.hosts,
      keys: rounds.keys,
      steps: SPEC.steps.length,
      ...Object.fromEntries(
        measured.map(({ field, p50, p99, samples }) => [field, { p50, p99, samples }]),
      ),
      plan_ms: rounded(median(plans.preview) / 1e6),
      plan_cpu_ms: rounded(median(plans.cpu) / 1e6),
      plan_vs_hash_ratio: ratio(median(plans.preview), median(plans.hash)),
      acks_per_second: rounded(1e9 / median(acks.cpu)),
      ack_vs_fleet_ratio: ratio(median(acks.judged), median(acks.told)),
    },
  };
}

function measurePlans({ hosts, keys, plans }: RolloutRounds) {
  const fleet = benchFleet(hosts, keys, KEYS_PER_HOST);
  const context = { desired: keyState(), hosts: fleet, now: NOW };
  const samples = {
    preview: [] as number[],
    cpu: [] as number[],
    take: [] as number[],
    hash: [] as number[],
  };
  for (let round = -WARM_UP; round < plans; round++) {
    const before = process.cpuUsage();
    const preview = timed(() => previewOf(SPEC, context));
    const cpu = cpuSince(before);
    const take = timed(() => rulesAt(fleet, SPEC.steps.length - 2, hosts / 2, context.desired));
    const hash = timed(() => {
      for (const { report } of fleet) hostHash(KEY, report.host);
    });
    if (round < 0) continue;
    samples.preview.push(preview);
    samples.cpu.push(cpu);
    samples.take.push(take);
    samples.hash.push(hash);
  }
  return samples;
}

/** Nanoseconds for each ack, one sample a round. The machine is asked after every ack, though one look at many would do. */
function measureAcks({ hosts, keys, acks }: RolloutRounds) {
  const fleet = benchFleet(hosts, keys, ACKED_KEYS_PER_HOST);
  const { record, key } = runningHalf(fleet);
  const samples = { judged: [] as number[], cpu: [] as number[], told: [] as number[] };
  for (let round = -WARM_UP; round < acks; round++) {
    const changed: KnownHost[] = [];
    const view = fleetOf(fleet, changed);
    const told = timed(() => acknowledge(view, fleet));
    const tally = new Tally(record, key, fleet, NOW);
    let rollout = record;
    const before = process.cpuUsage();
    const judged = timed(() => {
      for (const host of changed) {
        tally.update(host, NOW);
        rollout = step(rollout, { kind: 'hosts', seen: tally.seen() }, NOW).record;
      }
    });
    const cpu = cpuSince(before);
    if (rollout.state.phase !== 'baking') throw new Error(`it is ${rollout.state.phase}`);
    if (round < 0) continue;
    samples.judged.push(judged / hosts);
    samples.cpu.push(cpu / hosts);
    samples.told.push(told / hosts);
  }
  return samples;

  function acknowledge(view: Fleet, all: readonly KnownHost[]): void {
    for (const { report } of all) {
      const observation = observationOf(KEY, key.generation, true);
      view.apply({ kind: 'ack', host: report.host, observation });
    }
  }
}

/** The controller's view of the fleet, which tells of each host that changes. */
function fleetOf(hosts: readonly KnownHost[], changed: KnownHost[]): Fleet {
  const view = new Fleet(new ManualClock(NOW.toISOString()), {
    requestStatus: () => {},
    saveReport: () => {},
    acked: () => {},
  });
  for (const { report } of hosts) view.apply({ kind: 'status', report });
  view.onChange((host) => changed.push(host));
  return view;
}

/** Nanoseconds of all threads of this process, the collector's helpers included. */
function cpuSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) * 1e3;
}

function timed(work: () => void): number {
  const start = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - start);
}

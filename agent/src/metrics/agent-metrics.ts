import { Counter, exponentialBuckets, Gauge, Histogram, type Registry } from 'prom-client';
import type { KeyObservation } from '#common/observed.ts';
import { REJECTIONS, type Rejection } from '../agent-bus.ts';
import type { ProbedFeature, Specialisation } from '../engine/engine.ts';
import type { SettledKey } from '../reconcile/reconciler.ts';
import { UnitMetrics } from './unit-metrics.ts';

/** 1 µs to 16.384 ms. */
const POKE_BUCKETS = exponentialBuckets(1e-6, 2, 15);
/** 50 µs to 3.3 s: a flip holds pokes of some 50 µs, queueing, and at worst a verifier run of another unit. */
const FLIP_BUCKETS = exponentialBuckets(50e-6, 2, 17);
/** 1 ms to 65 s. */
const PROPAGATION_BUCKETS = exponentialBuckets(1e-3, 2, 17);

export interface AgentMetricsInfo {
  readonly version: string;
  readonly engine: string;
  readonly kernelRelease: string;
  readonly features: readonly ProbedFeature[];
}

/**
 * The agent's metrics. Histograms carry no key or host label (cardinality); counters move only after what they
 * count was read back and made durable.
 */
export class AgentMetrics {
  readonly units: UnitMetrics;
  readonly #flipDuration: Histogram;
  readonly #pokeDuration: Histogram;
  readonly #propagation: Histogram;
  readonly #flips: Counter<'result' | 'reason'>;
  readonly #generation: Gauge<'key'>;
  readonly #rejected: Counter<'reason'>;
  readonly #helperRestarts: Counter;
  readonly #counterErrors: Counter;
  readonly #connected: Gauge;
  readonly #specialisations: Counter<'result'>;
  readonly #specialisationDuration: Histogram;

  /** @param ready asked at each scrape */
  constructor(registry: Registry, info: AgentMetricsInfo, ready: () => boolean) {
    const registers = [registry];
    this.units = new UnitMetrics(registry);
    this.#flipDuration = new Histogram({
      name: 'skein_agent_flip_duration_seconds',
      help: 'From a desired-state message received to its flip read back.',
      buckets: FLIP_BUCKETS,
      registers,
    });
    this.#pokeDuration = new Histogram({
      name: 'skein_agent_poke_duration_seconds',
      help: 'Sum of the pokes of one flip, each measured around the system call or store alone.',
      buckets: POKE_BUCKETS,
      registers,
    });
    this.#propagation = new Histogram({
      name: 'skein_agent_propagation_seconds',
      help: "From a change made, by the controller's clock, to its flip read back, by this host's.",
      buckets: PROPAGATION_BUCKETS,
      registers,
    });
    this.#flips = new Counter({
      name: 'skein_agent_flips_total',
      help: 'Fleet keys acted on, by result and by reason: new desired state, retry, repaired drift.',
      labelNames: ['result', 'reason'],
      registers,
    });
    this.#generation = new Gauge({
      name: 'skein_agent_applied_generation',
      help: 'Generation that a bound fleet key runs; 0 when it has no desired state.',
      labelNames: ['key'],
      registers,
    });
    this.#rejected = new Counter({
      name: 'skein_agent_rejected_messages_total',
      help: 'Messages about bound keys that were not acted on, by reason.',
      labelNames: ['reason'],
      registers,
    });
    for (const reason of REJECTIONS) this.#rejected.inc({ reason }, 0);
    this.#helperRestarts = new Counter({
      name: 'skein_agent_helper_restarts_total',
      help: 'Times the native helper ended and was started again.',
      registers,
    });
    this.#counterErrors = new Counter({
      name: 'skein_agent_map_read_errors_total',
      help: 'Maps whose counters could not be read for a scrape, which went on without them.',
      registers,
    });
    this.#connected = new Gauge({
      name: 'skein_agent_nats_connected',
      help: '1 while connected to NATS.',
      registers,
    });
    this.#specialisations = new Counter({
      name: 'skein_agent_specialisations_total',
      help: 'Variants made in the background: put in force, prepared for a later flip, or failed.',
      labelNames: ['result'],
      registers,
    });
    for (const result of ['in_force', 'prepared', 'failed'])
      this.#specialisations.inc({ result }, 0);
    this.#specialisationDuration = new Histogram({
      name: 'skein_agent_specialisation_duration_seconds',
      help: 'From the start of the edit to the variant loaded and pinned, the verifier included.',
      buckets: PROPAGATION_BUCKETS,
      registers,
    });
    new Gauge({
      name: 'skein_agent_ready',
      help: '1 while every unit runs the desired or last-known-good state.',
      registers,
      collect() {
        this.set(ready() ? 1 : 0);
      },
    });
    new Gauge({
      name: 'skein_agent_engine_info',
      help: 'Always 1: the engine, and the kernel it runs on.',
      labelNames: ['engine', 'kernel_release'],
      registers,
    }).set({ engine: info.engine, kernel_release: info.kernelRelease }, 1);
    const features = new Gauge({
      name: 'skein_agent_engine_feature_info',
      help: 'Always 1: a feature of the kernel or runtime, and whether the probe found it.',
      labelNames: ['feature', 'availability'],
      registers,
    });
    for (const { name, availability } of info.features) {
      features.set({ feature: name, availability }, 1);
    }
    new Gauge({
      name: 'skein_agent_build_info',
      help: 'Always 1: the version of the agent.',
      labelNames: ['version'],
      registers,
    }).set({ version: info.version }, 1);
  }

  specialised({ result, durationNs }: Specialisation): void {
    this.#specialisations.inc({ result });
    if (result !== 'failed') this.#specialisationDuration.observe(seconds(durationNs));
  }

  settled({ observation, fresh, reason, receivedNs }: SettledKey): void {
    if (observation.outcome !== 'failed') {
      this.#generation.set({ key: observation.key }, Number(observation.generation));
    }
    if (!reason) return;
    this.#flips.inc({ result: fresh.outcome, reason });
    if (fresh.outcome !== 'applied') return;
    this.#pokeDuration.observe(seconds(fresh.pokeNs));
    if (receivedNs === undefined) return;
    this.#flipDuration.observe(seconds(fresh.applyNs));
    const propagation = propagationSeconds(fresh);
    if (propagation !== undefined) this.#propagation.observe(propagation);
  }

  rejected(reason: Rejection): void {
    this.#rejected.inc({ reason });
  }

  helperRestarted(): void {
    this.#helperRestarts.inc();
  }

  countersUnread(): void {
    this.#counterErrors.inc();
  }

  connected(connected: boolean): void {
    this.#connected.set(connected ? 1 : 0);
  }
}

/** Two clocks: a host whose clock is behind gets 0, never a negative time. */
function propagationSeconds({ appliedAt, publishedAt }: KeyObservation): number | undefined {
  if (!publishedAt) return undefined;
  return Math.max(0, appliedAt.getTime() - publishedAt.getTime()) / 1_000;
}

function seconds(ns: bigint): number {
  return Number(ns) / 1e9;
}

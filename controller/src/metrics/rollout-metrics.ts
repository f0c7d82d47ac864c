import { Counter, Gauge, type Registry } from 'prom-client';
import {
  type Measurement,
  OUTCOMES,
  PHASES,
  type Phase,
  type RolloutState,
} from '#common/rollout/rollout.ts';
import { DELIVERY_RESULTS, type DeliveryResult } from '../webhooks/courier.ts';

/** What the gauges show when they are scraped. */
export interface RolloutMetricsSource {
  /** Of every rollout that is kept. */
  rollouts(): Iterable<RolloutState>;
  killedKeys(): number;
  isFrozen(): boolean;
  holdsLease(): boolean;
}

/** Metrics of rollouts and of what stops them; docs/metrics.md describes each. */
export interface RolloutMetrics {
  transition(to: Phase): void;
  measured(outcome: Measurement['outcome']): void;
  killed(): void;
  delivery(webhook: string, result: DeliveryResult): void;
}

/** @param webhooks their names, so that each series exists from the start */
export function createRolloutMetrics(
  registry: Registry,
  source: RolloutMetricsSource,
  webhooks: readonly string[],
): RolloutMetrics {
  const registers = [registry];
  defineGauges(registry, source);
  const transitions = new Counter({
    name: 'skein_controller_rollout_transitions_total',
    help: 'Transitions of rollouts that this controller stored, by the phase they led to.',
    labelNames: ['to'],
    registers,
  });
  const measurements = new Counter({
    name: 'skein_controller_gate_measurements_total',
    help: 'Measurements of gates, by outcome.',
    labelNames: ['outcome'],
    registers,
  });
  const kills = new Counter({
    name: 'skein_controller_kills_total',
    help: 'Kills of keys that this controller stored.',
    registers,
  });
  const deliveries = new Counter({
    name: 'skein_controller_webhook_deliveries_total',
    help: 'Attempts to deliver an event to a webhook, by result.',
    labelNames: ['webhook', 'result'],
    registers,
  });
  for (const to of PHASES) transitions.inc({ to }, 0);
  for (const outcome of OUTCOMES) measurements.inc({ outcome }, 0);
  for (const webhook of webhooks) {
    for (const result of DELIVERY_RESULTS) deliveries.inc({ webhook, result }, 0);
  }
  return {
    transition: (to) => transitions.inc({ to }),
    measured: (outcome) => measurements.inc({ outcome }),
    killed: () => kills.inc(),
    delivery: (webhook, result) => deliveries.inc({ webhook, result }),
  };
}

/** Why a rollout waits for a person; undefined when it does not. */
function attentionOf(state: RolloutState): string | undefined {
  if (state.phase === 'paused') {
    const cause = state.pause?.cause;
    return cause === 'operator' || cause === 'hold' ? undefined : cause;
  }
  if (state.phase !== 'aborted' || state.width === 0) return undefined;
  return state.rollingBack ? 'rolling-back' : 'aborted';
}

function defineGauges(registry: Registry, source: RolloutMetricsSource): void {
  const registers = [registry];
  new Gauge({
    name: 'skein_controller_rollouts',
    help: 'Rollouts that are kept, by phase.',
    labelNames: ['phase'],
    registers,
    collect() {
      for (const phase of PHASES) this.set({ phase }, 0);
      for (const { phase } of source.rollouts()) this.inc({ phase });
    },
  });
  new Gauge({
    name: 'skein_controller_rollouts_attention',
    help: 'Rollouts that wait for a person, by cause.',
    labelNames: ['cause'],
    registers,
    collect() {
      this.reset();
      for (const state of source.rollouts()) {
        const cause = attentionOf(state);
        if (cause !== undefined) this.inc({ cause });
      }
    },
  });
  const flag = (name: string, help: string, read: () => boolean) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read() ? 1 : 0);
      },
    });
  flag('skein_controller_frozen', '1 while a freeze is in force.', () => source.isFrozen());
  flag('skein_controller_lease_held', '1 while this controller drives the rollouts.', () =>
    source.holdsLease(),
  );
  new Gauge({
    name: 'skein_controller_killed_keys',
    help: 'Fleet keys that are killed.',
    registers,
    collect() {
      this.set(source.killedKeys());
    },
  });
}

import { Counter, type Registry } from 'prom-client';
import { type Measurement, OUTCOMES, PHASES, type Phase } from '#common/rollout/rollout.ts';
import { DELIVERY_RESULTS, type DeliveryResult } from '../webhooks/courier.ts';

/** What happens to rollouts, and what stops them; docs/metrics.md describes each. */
export interface RolloutMetrics {
  transition(to: Phase): void;
  measured(outcome: Measurement['outcome']): void;
  killed(): void;
  delivery(webhook: string, result: DeliveryResult): void;
}

/** @param webhooks their names, so that each series exists from the start */
export function createRolloutMetrics(
  registry: Registry,
  webhooks: readonly string[],
): RolloutMetrics {
  const registers = [registry];
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

import type { Clock } from '#common/clock.ts';
import type { DesiredState } from '#common/desired.ts';
import type { Logger } from '#common/log.ts';
import type { Verifier } from '#common/nkey.ts';
import type { HostReport } from '#common/observed.ts';
import { ControlCache } from './control/control-cache.ts';
import type { ControlStore } from './control/control-store.ts';
import { Fleet } from './fleet/fleet.ts';
import { type HostState, hostStateOf } from './fleet/host-state.ts';
import { KeyCache } from './keys/key-cache.ts';
import type { ControllerMetrics } from './metrics/metrics.ts';
import { FlipLatencies } from './rollout/gates/flip-latencies.ts';
import { RolloutCache } from './rollout/rollout-cache.ts';

/** What a controller knows, all of it in JetStream or told by hosts. */
export interface Memory {
  readonly keys: KeyCache;
  readonly control: ControlCache;
  readonly rollouts: RolloutCache;
  readonly fleet: Fleet;
  readonly latencies: FlipLatencies;
  /** The newest state of every key, tombstones included. */
  heads(): DesiredState[];
  hostStates(): HostState[];
}

export interface MemoryParts {
  readonly verifier: Verifier;
  readonly controlStore: ControlStore;
  readonly requestStatus: (host: string) => void;
  readonly saveReport: (report: HostReport) => void;
  readonly metrics: ControllerMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Empty, but for the fleet's timer. */
export function makeMemory(parts: MemoryParts): Memory {
  const { verifier, controlStore, requestStatus, saveReport, metrics, clock, logger } = parts;
  const latencies = new FlipLatencies();
  const keys = new KeyCache(verifier, (reason, error) => {
    logger.error({ err: error }, 'a value in the keys bucket was rejected');
    metrics.rejected('desired', reason);
  });
  const control = new ControlCache({
    store: controlStore,
    onRejected(reason, error) {
      logger.error({ err: error }, 'a value in the control bucket was rejected');
      metrics.rejected('control', reason);
    },
  });
  const fleet = new Fleet(clock, {
    requestStatus,
    saveReport,
    acked(observation, isPropagation, host) {
      metrics.flip(observation);
      const { publishedAt } = observation;
      if (!isPropagation || !publishedAt || observation.outcome === 'failed') return;
      // Another controller's clock may be ahead of this one's.
      const ms = Math.max(0, clock.now().getTime() - publishedAt.getTime());
      metrics.propagation(ms / 1000);
      latencies.add(host, observation, ms / 1000);
    },
  });
  return {
    keys,
    control,
    rollouts: new RolloutCache(),
    fleet,
    latencies,
    heads: () => keys.names().flatMap((name) => keys.head(name) ?? []),
    hostStates: () =>
      fleet.hosts().map((host) => hostStateOf(host, (key) => keys.head(key), clock.now())),
  };
}

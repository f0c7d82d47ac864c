import type { Clock } from '#common/clock.ts';
import type { Logger } from '#common/log.ts';
import { CONTROL_BUCKET, KEYS_BUCKET, ROLLOUTS_BUCKET } from '#proto/subjects.ts';
import type { ControlCache } from '../control/control-cache.ts';
import type { KeyCache } from '../keys/key-cache.ts';
import type { RolloutCache } from '../rollout/rollout-cache.ts';
import { BucketWatch } from './bucket-watch.ts';
import { rolloutEntry } from './rollout-bucket.ts';
import type { Stores } from './stores.ts';

/** What the controller holds in memory, each the image of a bucket. */
export interface Caches {
  readonly control: Pick<ControlCache, 'ingest' | 'clear'>;
  readonly keys: Pick<KeyCache, 'ingest' | 'clear'>;
  readonly rollouts: Pick<RolloutCache, 'ingest' | 'clear'>;
}

export interface FollowedBuckets {
  /** Resolves when the caches have all that is stored. @throws SkeinError SKEIN_NATS_UNAVAILABLE */
  start(): Promise<void>;
  /** Makes the watches anew where they stopped: a connection that was lost took them along. */
  restart(): Promise<void>;
  stop(): void;
  /** Names of buckets that are no longer there. */
  missing(): string[];
}

export function followBuckets(
  { jsm, control, keys, rollouts }: Stores,
  caches: Caches,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): FollowedBuckets {
  const parts = { jsm, clock, logger };
  const watches = [
    new BucketWatch({
      ...parts,
      name: CONTROL_BUCKET,
      bucket: control,
      onEntry: (entry) => caches.control.ingest(entry),
      onReset: () => caches.control.clear(),
    }),
    new BucketWatch({
      ...parts,
      name: KEYS_BUCKET,
      bucket: keys,
      onEntry: (entry) => caches.keys.ingest(entry),
      onReset: () => caches.keys.clear(),
    }),
    new BucketWatch({
      ...parts,
      name: ROLLOUTS_BUCKET,
      bucket: rollouts,
      onEntry: (entry) => caches.rollouts.ingest(rolloutEntry(entry, logger)),
      onReset: () => caches.rollouts.clear(),
    }),
  ];
  return {
    async start() {
      for (const watch of watches) await watch.start();
    },
    async restart() {
      for (const watch of watches) await watch.restart();
    },
    stop() {
      for (const watch of watches) watch.stop();
    },
    missing: () => watches.flatMap((watch) => (watch.isMissing ? [watch.name] : [])),
  };
}

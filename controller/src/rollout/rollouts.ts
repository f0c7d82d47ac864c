import type { Clock } from '#common/clock.ts';
import type { Control } from '#common/control/control.ts';
import type { DesiredState } from '#common/desired.ts';
import type { Logger } from '#common/log.ts';
import { isOver, type RolloutRecord, type Transition } from '#common/rollout/rollout.ts';
import type { RolloutSpec } from '#common/rollout/spec.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { KeyCache } from '../keys/key-cache.ts';
import type { AdmissionPorts, KeyDesk } from '../keys/key-desk.ts';
import { blockOf } from './blocks.ts';
import { carryOut } from './carry-out.ts';
import { Driver } from './driver.ts';
import type { Measure } from './gates/measure.ts';
import { Lease } from './lease.ts';
import type { LeaseStore } from './lease-store.ts';
import { PastRollouts } from './past-rollouts.ts';
import type { RolloutCache } from './rollout-cache.ts';
import { RolloutDesk } from './rollout-desk.ts';
import { RolloutLedger } from './rollout-ledger.ts';
import type { RolloutStore } from './rollout-store.ts';
import { Tallies } from './tallies.ts';

export interface RolloutsParts {
  readonly cache: RolloutCache;
  readonly store: RolloutStore;
  readonly leaseStore: LeaseStore;
  /** Of this process; no two are alike. */
  readonly holder: string;
  readonly keys: KeyCache;
  readonly keyDesk: KeyDesk;
  /** Reads what the keys bucket has now. */
  readonly refreshKey: (name: string) => Promise<void>;
  readonly control: AdmissionPorts['control'] & { onChange(listener: () => void): () => void };
  readonly approvals: AdmissionPorts['approvals'];
  readonly principals: readonly string[];
  readonly fleet: Fleet;
  readonly measure: Measure;
  readonly checkQueries: (spec: RolloutSpec) => Promise<readonly string[]>;
  /** Told of each stored transition; never rejects. */
  readonly tell: (record: RolloutRecord, transition: Transition) => Promise<void>;
  /** This controller begins, and ceases, to act for all. */
  readonly onLease: { acquired(epoch: bigint): void; lost(): void };
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface Rollouts {
  readonly desk: RolloutDesk;
  readonly tallies: Tallies;
  readonly lease: Lease;
  /** Once the cache has all that is stored. */
  start(): void;
  /** Gives the lease back. */
  stop(): Promise<void>;
}

/** The rollouts of a controller, put together; nothing is driven before they are started. */
export function assembleRollouts(parts: RolloutsParts): Rollouts {
  const { cache, keys, fleet, control, clock, logger, onLease } = parts;
  const desired = (key: string) => keys.head(key);
  const ledger = new RolloutLedger(parts);
  const tallies = new Tallies({ fleet, desired, clock });
  const endForget = cache.onChange((id) => {
    const known = cache.get(id);
    if (known && isOver(known.record.state)) tallies.forget(id);
  });
  const desk = new RolloutDesk({
    ...parts,
    ledger,
    admission: parts,
    keys: { names: () => keys.names(), head: desired, refresh: parts.refreshKey },
    hosts: () => fleet.hosts(),
  });
  const driver = new Driver({
    cache,
    ledger,
    clock,
    logger,
    world: [
      (listener) => fleet.onChange(listener),
      (listener) => keys.onChange(listener),
      (listener) => control.onChange(listener),
    ],
    epoch: () => lease.epoch,
    seen: (record) => tallies.seen(record),
    blockOf: (record, now) => blockOf(record, control.current(), now),
    killOf: (key) => killOf(desired(key), control.current()),
    ...carryOut({ ...parts, desk: parts.keyDesk, desired, hosts: () => fleet.hosts() }),
  });
  const lease = new Lease({
    store: parts.leaseStore,
    clock,
    logger,
    holder: parts.holder,
    highestEpoch: () => highestEpoch(cache, keys),
    onAcquired(epoch) {
      driver.start();
      onLease.acquired(epoch);
    },
    onLost() {
      driver.stop();
      onLease.lost();
    },
  });
  const past = new PastRollouts(parts);
  return {
    desk,
    tallies,
    lease,
    start() {
      past.start();
      lease.start();
    },
    async stop() {
      past.stop();
      await lease.stop();
      endForget();
      tallies.stop();
    },
  };
}

function killOf(
  state: DesiredState | undefined,
  { killAll }: Control,
): { readonly actor: string; readonly reason: string } | undefined {
  if (state?.kill === undefined) return undefined;
  const { action, actor, reason } = state.change;
  if (action === 'kill') return { actor, reason };
  return killAll ?? { actor: 'skein', reason: `fleet key "${state.name}" is killed` };
}

/** Epochs are written into what they guard. */
function highestEpoch(rollouts: RolloutCache, keys: KeyCache): bigint {
  const epochs = [
    ...rollouts.all().map(({ record }) => record.epoch),
    ...keys.names().map((name) => keys.head(name)?.fence ?? 0n),
  ];
  return epochs.reduce((highest, epoch) => (epoch > highest ? epoch : highest), 0n);
}

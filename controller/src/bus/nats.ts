import type { NatsConnection } from 'nats';
import type { Clock } from '#common/clock.ts';
import type { Logger } from '#common/log.ts';
import { connectionOptions, connectNats, type NatsConfig } from '#common/nats.ts';
import type { Signer } from '#common/nkey.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import type { ControlStore } from '../control/control-store.ts';
import type { KeyStore } from '../keys/key-store.ts';
import type { LeaseStore } from '../rollout/lease-store.ts';
import type { RolloutStore } from '../rollout/rollout-store.ts';
import { auditStream } from './audit-stream.ts';
import { closeNats } from './close-nats.ts';
import { controlBucket } from './control-bucket.ts';
import { HostRecords } from './host-records.ts';
import { keyBucket } from './key-bucket.ts';
import { leaseBucket } from './lease-bucket.ts';
import { Link } from './link.ts';
import { rolloutBucket } from './rollout-bucket.ts';
import { openStores, type Stores } from './stores.ts';

/** All that a controller has of NATS, over one connection. */
export interface Nats {
  readonly connection: NatsConnection;
  readonly link: Link;
  readonly stores: Stores;
  readonly keys: KeyStore;
  readonly control: ControlStore;
  readonly rollouts: RolloutStore;
  readonly lease: LeaseStore;
  readonly audit: AuditLog;
  readonly hosts: HostRecords;
  close(): Promise<void>;
}

export interface NatsParts {
  readonly config: NatsConfig;
  /** Copies of each bucket and stream that is made. */
  readonly replicas: number;
  readonly signer: Signer;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** @throws SkeinError SKEIN_NATS_UNAVAILABLE, SKEIN_STORE_CORRUPT; there is no connection then */
export async function openNats(parts: NatsParts): Promise<Nats> {
  const { config, replicas, signer, clock, logger } = parts;
  const connection = await connectNats(connectionOptions(config, 'skein-controller', '_INBOX'));
  try {
    const link = new Link(connection);
    const stores = await openStores(connection, replicas);
    return {
      connection,
      link,
      stores,
      keys: keyBucket(stores, link),
      control: controlBucket(stores, link, signer),
      rollouts: rolloutBucket(stores, link, logger),
      lease: leaseBucket(stores, link),
      audit: auditStream(stores, link),
      hosts: new HostRecords(stores, link, clock, logger),
      close: () => closeNats(connection),
    };
  } catch (error) {
    await closeNats(connection);
    throw error;
  }
}

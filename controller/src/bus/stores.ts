import type {
  JetStreamClient,
  JetStreamManager,
  KV,
  KvOptions,
  NatsConnection,
  Republish,
  StreamConfig,
} from 'nats';
import { SkeinError } from '#common/errors.ts';
import {
  AUDIT_STREAM,
  auditSubject,
  CONTROL_BUCKET,
  DEAD_LETTER_STREAM,
  DESIRED_PREFIX,
  deadLetterSubject,
  HOSTS_BUCKET,
  KEYS_BUCKET,
  LEASE_BUCKET,
  ROLLOUTS_BUCKET,
} from '#proto/subjects.ts';
import { HISTORY } from '../keys/lineage.ts';
import { isStreamGone, natsFailure } from './nats-failure.ts';

/** A flip waits its turn behind the fan-out of others on a busy server; the client's own 5 s gives up too early. */
const PUBLISH_TIMEOUT_MS = 30_000;
/** Revisions of each rollout that are kept, for people who look into what happened. */
const ROLLOUT_HISTORY = 16;
/** How long JetStream knows message ids. */
const DUPLICATE_WINDOW_NS = 120_000_000_000;
/** Time and room for somebody to look at what no webhook took: 30 days, 64 MiB. */
const DEAD_LETTER_AGE_NS = 30 * 24 * 3_600 * 1_000_000_000;
const DEAD_LETTER_BYTES = 64 * 1024 * 1024;

export interface Stores {
  readonly js: JetStreamClient;
  readonly jsm: JetStreamManager;
  readonly keys: KV;
  readonly hosts: KV;
  readonly control: KV;
  readonly rollouts: KV;
  readonly lease: KV;
}

/** The stream under a KV bucket. */
export const bucketStream = (bucket: string): string => `KV_${bucket}`;

/**
 * Opens the buckets and the audit stream, and makes those that are not there.
 *
 * @throws SkeinError SKEIN_NATS_UNAVAILABLE, also when the server has no JetStream; SKEIN_STORE_CORRUPT
 */
export async function openStores(nc: NatsConnection, replicas: number): Promise<Stores> {
  try {
    const js = nc.jetstream({ timeout: PUBLISH_TIMEOUT_MS });
    const jsm = await nc.jetstreamManager();
    const republish = { src: `$KV.${KEYS_BUCKET}.>`, dest: `${DESIRED_PREFIX}.>` };
    const keys = await openBucket(js, KEYS_BUCKET, { replicas, history: HISTORY, republish });
    await assertKeysConfig(jsm, republish);
    const hosts = await openBucket(js, HOSTS_BUCKET, { replicas, history: 1 });
    const control = await openBucket(js, CONTROL_BUCKET, { replicas, history: HISTORY });
    const rollouts = await openBucket(js, ROLLOUTS_BUCKET, { replicas, history: ROLLOUT_HISTORY });
    const lease = await openBucket(js, LEASE_BUCKET, { replicas, history: 1 });
    await openStream(jsm, {
      name: AUDIT_STREAM,
      subjects: [auditSubject('>')],
      num_replicas: replicas,
      duplicate_window: DUPLICATE_WINDOW_NS,
      deny_delete: true,
      deny_purge: true,
    });
    await openStream(jsm, {
      name: DEAD_LETTER_STREAM,
      subjects: [deadLetterSubject('>')],
      num_replicas: replicas,
      max_age: DEAD_LETTER_AGE_NS,
      max_bytes: DEAD_LETTER_BYTES,
    });
    return { js, jsm, keys, hosts, control, rollouts, lease };
  } catch (cause) {
    throw natsFailure('nats: cannot open the JetStream stores', cause);
  }
}

function openBucket(js: JetStreamClient, name: string, options: Partial<KvOptions>): Promise<KV> {
  return js.views.kv(name, { allow_direct: true, ...options });
}

/**
 * A keys bucket that someone else made may lack what agents live by: republishing, and history. Servers before 2.10
 * cannot add republishing to a stream.
 */
async function assertKeysConfig(jsm: JetStreamManager, republish: Republish): Promise<void> {
  const stream = bucketStream(KEYS_BUCKET);
  const { config } = await jsm.streams.info(stream);
  const fine =
    config.republish?.src === republish.src &&
    config.republish.dest === republish.dest &&
    config.max_msgs_per_subject >= HISTORY;
  if (fine) return;
  throw new SkeinError(
    'SKEIN_STORE_CORRUPT',
    `stream ${stream} does not republish to ${republish.dest} or keeps less than ${HISTORY} revisions`,
    { remedy: 'Remove the stream, which Skein did not make; the controller makes it anew.' },
  );
}

async function openStream(
  jsm: JetStreamManager,
  config: Partial<StreamConfig> & { readonly name: string },
): Promise<void> {
  try {
    await jsm.streams.info(config.name);
  } catch (error) {
    if (!isStreamGone(error)) throw error;
    await jsm.streams.add(config);
  }
}

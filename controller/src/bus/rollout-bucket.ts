import type { Logger } from '#common/log.ts';
import { recordFromWire, recordToWire } from '#common/rollout/rollout-wire.ts';
import { RolloutRecord } from '#proto/gen/skein/v1/rollout.ts';
import { ROLLOUTS_BUCKET } from '#proto/subjects.ts';
import type { KeyEntry } from '../keys/key-store.ts';
import type { RolloutEntry, RolloutStore } from '../rollout/rollout-store.ts';
import { compareAndSet, conditionally } from './compare-and-set.ts';
import { withDeadline } from './deadline.ts';
import type { Link } from './link.ts';
import { readBucketAfter } from './read-bucket.ts';
import { bucketStream, type Stores } from './stores.ts';

const SUBJECT = `$KV.${ROLLOUTS_BUCKET}.`;

/** The rollouts bucket over JetStream. */
export function rolloutBucket(stores: Stores, link: Link, logger: Logger): RolloutStore {
  const { js, jsm, rollouts } = stores;
  const bytes = (record: Parameters<typeof recordToWire>[0]) =>
    RolloutRecord.encode(recordToWire(record)).finish();
  return {
    put: (record, previousRevision) =>
      compareAndSet(link, what(record.id), rollouts, record.id, bytes(record), previousRevision),

    claim: (record, previousRevision, revision) =>
      conditionally(link, what(record.id), rollouts, async () => {
        const expect = {
          lastSequence: Number(revision),
          lastSubjectSequence: Number(previousRevision),
        };
        return (await js.publish(`${SUBJECT}${record.id}`, bytes(record), { expect })).seq;
      }),

    async readAfter(revision) {
      const { entries, last } = await readBucketAfter(stores, link, ROLLOUTS_BUCKET, revision);
      return { entries: entries.map((entry) => rolloutEntry(entry, logger)), last };
    },

    async forget(id, revision) {
      // Up to, and without.
      const request = { filter: `${SUBJECT}${id}`, seq: Number(revision) + 1 };
      const purge = () => jsm.streams.purge(bucketStream(ROLLOUTS_BUCKET), request);
      await withDeadline(`nats: forgetting ${what(id)}`, link.whileUp(purge));
    },
  };
}

/** An entry of the bucket as the cache takes it. */
export function rolloutEntry({ name, revision, value }: KeyEntry, logger: Logger): RolloutEntry {
  try {
    return { id: name, revision, record: recordFromWire(RolloutRecord.decode(value)) };
  } catch (error) {
    logger.error({ err: error, rollout: name, revision }, 'a stored rollout does not decode');
    return { id: name, revision };
  }
}

const what = (id: string): string => `rollout "${id}"`;

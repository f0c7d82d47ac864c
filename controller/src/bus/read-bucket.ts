import type { JsMsg } from 'nats';
import type { KeyEntry } from '../keys/key-store.ts';
import { withDeadline } from './deadline.ts';
import type { Link } from './link.ts';
import { natsFailure } from './nats-failure.ts';
import { readStream } from './read-stream.ts';
import { bucketStream, type Stores } from './stores.ts';

interface BucketPart {
  /** In order. */
  readonly entries: readonly KeyEntry[];
  /** The entries are complete up to here, which may be a revision that is not kept any more. */
  readonly last: bigint;
}

/**
 * What was written to a bucket after `revision` and is still kept. One request when that is nothing.
 *
 * @throws SkeinError SKEIN_NATS_UNAVAILABLE; SKEIN_STORE_REFUSED when the bucket is gone
 */
export async function readBucketAfter(
  { js, jsm }: Pick<Stores, 'js' | 'jsm'>,
  link: Link,
  bucket: string,
  revision: bigint,
): Promise<BucketPart> {
  const stream = bucketStream(bucket);
  const what = `nats: reading ${stream}`;
  const prefix = `$KV.${bucket}.`;
  const entries: KeyEntry[] = [];
  const take = ({ seq, subject, data }: JsMsg) => {
    entries.push({ name: subject.slice(prefix.length), revision: BigInt(seq), value: data });
  };
  try {
    // Unlike a direct get, which nobody answers then, this says at once that there is no such stream.
    const info = link.whileUp(() => jsm.streams.info(stream));
    const last = BigInt((await withDeadline(what, info)).state.last_seq);
    if (last > revision) {
      const from = { sequence: Number(revision) + 1 };
      await link.whileUp(() => readStream(js, stream, `${prefix}>`, { from }, take));
    }
    return { entries, last };
  } catch (error) {
    throw natsFailure(what, error);
  }
}

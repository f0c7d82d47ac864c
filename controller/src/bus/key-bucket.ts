import type { JsMsg } from 'nats';
import { KEYS_BUCKET } from '#proto/subjects.ts';
import type { KeyEntry, KeyStore } from '../keys/key-store.ts';
import { compareAndSet } from './compare-and-set.ts';
import type { Link } from './link.ts';
import { readStream } from './read-stream.ts';
import { bucketStream, type Stores } from './stores.ts';

/** The keys bucket over JetStream. Nothing here deletes: a deleted key is a signed tombstone. */
export function keyBucket({ js, keys }: Stores, link: Link): KeyStore {
  return {
    put: (name, value, previousRevision) =>
      compareAndSet(link, `fleet key "${name}"`, keys, name, value, previousRevision),

    async read(name): Promise<KeyEntry[]> {
      const found: KeyEntry[] = [];
      const subject = `$KV.${KEYS_BUCKET}.${name}`;
      const take = ({ seq, data }: JsMsg) => {
        found.push({ name, revision: BigInt(seq), value: data });
      };
      await link.whileUp(() => readStream(js, bucketStream(KEYS_BUCKET), subject, {}, take));
      return found;
    },
  };
}

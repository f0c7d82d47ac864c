import { type JsMsg, NatsError } from 'nats';
import { SkeinError } from '#common/errors.ts';
import { KEYS_BUCKET } from '#proto/subjects.ts';
import type { KeyEntry, KeyStore, PutResult } from '../keys/key-store.ts';
import type { Link } from './link.ts';
import { readStream } from './read-stream.ts';
import { bucketStream, type Stores } from './stores.ts';

/** JetStream's error for an unmet Nats-Expected-Last-Subject-Sequence. */
const WRONG_LAST_SEQUENCE = 10071;

/** The keys bucket over JetStream. Nothing here deletes: a deleted key is a signed tombstone. */
export function keyBucket({ js, keys }: Stores, link: Link): KeyStore {
  return {
    async put(name, value, previousRevision): Promise<PutResult> {
      // Not sent at all: a plain refusal, not an unknown outcome.
      link.assertUp();
      try {
        const previousSeq = Number(previousRevision);
        const revision = await link.whileUp(() => keys.put(name, value, { previousSeq }));
        return { kind: 'stored', revision: BigInt(revision) };
      } catch (error) {
        if (error instanceof NatsError && error.api_error?.err_code === WRONG_LAST_SEQUENCE) {
          return { kind: 'conflict' };
        }
        throw unknownOutcome(name, error);
      }
    },

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

function unknownOutcome(name: string, cause: unknown): SkeinError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new SkeinError(
    'SKEIN_NATS_UNAVAILABLE',
    `fleet key "${name}": NATS did not confirm the write (${why}); it may have been stored`,
    { cause, remedy: 'Repeat the request with the same request id: it is carried out once.' },
  );
}

import { controlFromWire, controlToWire } from '#common/control/control-wire.ts';
import { openPayload, sealPayload } from '#common/envelope.ts';
import { SkeinError } from '#common/errors.ts';
import type { Signer } from '#common/nkey.ts';
import { verifierFromPublic } from '#common/nkey.ts';
import { Control } from '#proto/gen/skein/v1/control.ts';
import { CONTROL_BUCKET, CONTROL_KEY, CONTROL_SIGNATURE_CONTEXT } from '#proto/subjects.ts';
import type { ControlStore } from '../control/control-store.ts';
import { compareAndSet } from './compare-and-set.ts';
import type { Link } from './link.ts';
import { readBucketAfter } from './read-bucket.ts';
import type { Stores } from './stores.ts';

/** The control bucket over JetStream. */
export function controlBucket(stores: Stores, link: Link, signer: Signer): ControlStore {
  const { control } = stores;
  const trusted = [verifierFromPublic(signer.publicKey)];
  return {
    async put(record, previousRevision) {
      const payload = Control.encode(controlToWire(record)).finish();
      const value = sealPayload(payload, CONTROL_SIGNATURE_CONTEXT, signer);
      const what = 'control record';
      const result = await compareAndSet(link, what, control, CONTROL_KEY, value, previousRevision);
      return { ...result, value };
    },

    async readAfter(revision) {
      return (await readBucketAfter(stores, link, CONTROL_BUCKET, revision)).entries;
    },

    open(value, place) {
      const payload = openPayload(value, CONTROL_SIGNATURE_CONTEXT, trusted, place);
      try {
        const record = controlFromWire(Control.decode(payload));
        if (record.generation > 0n && record.note) return record;
      } catch (cause) {
        throw new SkeinError('SKEIN_STORE_CORRUPT', `${place}: does not decode`, { cause });
      }
      throw new SkeinError('SKEIN_STORE_CORRUPT', `${place}: no generation or no note`);
    },
  };
}

import { controlFromWire, controlToWire } from '#common/control/control-wire.ts';
import { openPayload, sealPayload } from '#common/envelope.ts';
import { SkeinError } from '#common/errors.ts';
import type { Signer } from '#common/nkey.ts';
import { verifierFromPublic } from '#common/nkey.ts';
import { Control } from '#proto/gen/skein/v1/control.ts';
import { CONTROL_KEY, CONTROL_SIGNATURE_CONTEXT } from '#proto/subjects.ts';
import type { ControlStore } from '../control/control-store.ts';
import { compareAndSet } from './compare-and-set.ts';
import { natsFailure, withDeadline } from './deadline.ts';
import type { Link } from './link.ts';
import type { Stores } from './stores.ts';

/** The control bucket over JetStream. */
export function controlBucket({ control }: Stores, link: Link, signer: Signer): ControlStore {
  const trusted = [verifierFromPublic(signer.publicKey)];
  return {
    async put(record, previousRevision) {
      const payload = Control.encode(controlToWire(record)).finish();
      const value = sealPayload(payload, CONTROL_SIGNATURE_CONTEXT, signer);
      const what = 'control record';
      const result = await compareAndSet(link, what, control, CONTROL_KEY, value, previousRevision);
      return { ...result, value };
    },

    async newest() {
      const what = 'nats: reading the control record';
      try {
        const entry = await link.whileUp(() => withDeadline(what, control.get(CONTROL_KEY)));
        if (!entry) return undefined;
        return { name: CONTROL_KEY, revision: BigInt(entry.revision), value: entry.value };
      } catch (error) {
        throw natsFailure(what, error);
      }
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

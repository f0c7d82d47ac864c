import type { Control } from '#common/control/control.ts';
import type { KeyEntry, PutResult } from '../keys/key-store.ts';

/** The control bucket. What is in it is signed, for it makes the controller sign kills of every key. */
export interface ControlStore {
  /**
   * Signs and writes if the newest revision is still `previousRevision` (0: none).
   *
   * @throws SkeinError SKEIN_STORE_REFUSED; SKEIN_NATS_UNAVAILABLE: whether the record was stored is then unknown
   */
  put(
    control: Control,
    previousRevision: bigint,
  ): Promise<PutResult & { readonly value: Uint8Array }>;
  /**
   * What was written after `revision` and is still kept, in order.
   *
   * @throws SkeinError SKEIN_NATS_UNAVAILABLE; SKEIN_STORE_REFUSED when the bucket is gone
   */
  readAfter(revision: bigint): Promise<readonly KeyEntry[]>;
  /** @throws SkeinError SKEIN_BAD_SIGNATURE, SKEIN_STORE_CORRUPT */
  open(value: Uint8Array, place: string): Control;
}

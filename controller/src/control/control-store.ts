import type { Control } from '#common/control/control.ts';
import type { KeyEntry, PutResult } from '../keys/key-store.ts';

/** The control bucket. What is in it is signed, for it makes the controller sign kills of every key. */
export interface ControlStore {
  /**
   * Signs and writes if the newest revision is still `previousRevision` (0: none).
   *
   * @throws SkeinError SKEIN_NATS_UNAVAILABLE; whether the record was stored is then unknown
   */
  put(
    control: Control,
    previousRevision: bigint,
  ): Promise<PutResult & { readonly value: Uint8Array }>;
  /** The newest revision. @throws SkeinError SKEIN_NATS_UNAVAILABLE */
  newest(): Promise<KeyEntry | undefined>;
  /** @throws SkeinError SKEIN_BAD_SIGNATURE, SKEIN_STORE_CORRUPT */
  open(value: Uint8Array, place: string): Control;
}

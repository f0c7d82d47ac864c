/** One revision of one key in a bucket, as read: nothing about it is verified yet. */
export interface KeyEntry {
  readonly name: string;
  readonly revision: bigint;
  readonly value: Uint8Array;
}

export type PutResult =
  | { readonly kind: 'stored'; readonly revision: bigint }
  | { readonly kind: 'conflict' };

/** The keys bucket, as far as changing keys needs it. */
export interface KeyStore {
  /**
   * Writes if the key's newest revision is still `previousRevision` (0: none).
   *
   * @throws SkeinError SKEIN_STORE_REFUSED; SKEIN_NATS_UNAVAILABLE: whether the value was stored is then unknown
   */
  put(name: string, value: Uint8Array, previousRevision: bigint): Promise<PutResult>;

  /**
   * Every kept revision of the key, oldest first.
   *
   * @throws SkeinError SKEIN_NATS_UNAVAILABLE; SKEIN_STORE_REFUSED when the bucket is gone
   */
  read(name: string): Promise<KeyEntry[]>;
}

import type { PutResult } from '../keys/key-store.ts';

export interface LeaseValue {
  /** Empty: given back. */
  readonly holder: string;
  readonly epoch: bigint;
}

export interface LeaseEntry extends LeaseValue {
  readonly revision: bigint;
}

/** The one lease, as it is stored. */
export interface LeaseStore {
  /** Perhaps a moment old; undefined when it was never written. */
  read(): Promise<LeaseEntry | undefined>;
  /** Writes if the newest revision is still `previousRevision` (0: none). */
  put(value: LeaseValue, previousRevision: bigint): Promise<PutResult>;
}

import type { Control } from '#common/control/control.ts';
import { SkeinError } from '#common/errors.ts';
import { createLogger } from '#common/log.ts';
import { generateSeed, signerFromSeed, verifierFromPublic } from '#common/nkey.ts';
import { CONTROL_KEY } from '#proto/subjects.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { ControlCache } from '../control/control-cache.ts';
import type { ControlStore } from '../control/control-store.ts';
import { KeyCache } from '../keys/key-cache.ts';
import { KeyDesk, type MutationRequest } from '../keys/key-desk.ts';
import type { KeyEntry, KeyStore } from '../keys/key-store.ts';

const signer = signerFromSeed(generateSeed());

export const REQUEST: MutationRequest = {
  actor: 'alice',
  reason: '',
  requestId: '',
  etag: '',
  validateOnly: false,
};

/**
 * The keys bucket and the control bucket in memory, for as many controllers as a test wants. What one writes, the
 * others hear at once.
 */
export class FakeStores {
  readonly clock = new ManualClock();
  /** Writes to keys from now on; undefined: no end. Beyond it NATS is away. */
  writesLeft: number | undefined;
  readonly controlEntries: { readonly revision: bigint; readonly control: Control }[] = [];
  readonly #keys: KeyEntry[] = [];
  readonly #controllers = new Set<FakeController>();

  controller(): FakeController {
    const made = new FakeController(this);
    for (const entry of this.#keys) made.keys.ingest(entry);
    for (const { revision } of this.controlEntries) made.control.ingest(controlEntry(revision));
    this.#controllers.add(made);
    return made;
  }

  /** As if its process had been killed. */
  lose(controller: FakeController): void {
    this.#controllers.delete(controller);
  }

  readonly keyStore: KeyStore = {
    put: async (name, value, previousRevision) => {
      if (this.writesLeft === 0) throw away();
      if (this.writesLeft !== undefined) this.writesLeft--;
      const last = this.#keys.findLast((entry) => entry.name === name)?.revision ?? 0n;
      if (last !== previousRevision) return { kind: 'conflict' };
      const revision = BigInt(this.#keys.length + 1);
      const entry = { name, revision, value };
      this.#keys.push(entry);
      for (const { keys } of this.#controllers) keys.ingest(entry);
      return { kind: 'stored', revision };
    },
    read: async (name) => this.#keys.filter((entry) => entry.name === name),
  };

  readonly controlStore: ControlStore = {
    put: async (control, previousRevision) => {
      const last = this.controlEntries.at(-1)?.revision ?? 0n;
      if (last !== previousRevision) return { kind: 'conflict', value: new Uint8Array() };
      const revision = last + 1n;
      this.controlEntries.push({ revision, control });
      for (const other of this.#controllers) other.control.ingest(controlEntry(revision));
      return { kind: 'stored', revision, value: controlEntry(revision).value };
    },
    readAfter: async (after) => {
      const newer = this.controlEntries.filter(({ revision }) => revision > after);
      return newer.map(({ revision }) => controlEntry(revision));
    },
    open: (value) => {
      const found = this.controlEntries[Number(new TextDecoder().decode(value)) - 1];
      if (!found) throw new Error('no such entry');
      return found.control;
    },
  };
}

/** Keys and control record of one controller, as it knows them, and where keys are changed. */
class FakeController {
  readonly logger = createLogger('test', 'silent');
  readonly keys = new KeyCache(verifierFromPublic(signer.publicKey), (_, error) => {
    throw error;
  });
  readonly control: ControlCache;
  readonly desk: KeyDesk;
  readonly clock: ManualClock;

  constructor({ clock, keyStore, controlStore }: FakeStores) {
    this.clock = clock;
    this.control = new ControlCache({
      store: controlStore,
      onRejected: (_, error) => {
        throw error;
      },
    });
    this.desk = new KeyDesk({
      cache: this.keys,
      store: keyStore,
      signer,
      clock,
      hosts: () => [],
      admission: { control: this.control, ownerOf: () => undefined, approvals: [] },
      audit: async () => {},
    });
  }
}

/** The value only says which entry it is. */
function controlEntry(revision: bigint): KeyEntry {
  return { name: CONTROL_KEY, revision, value: new TextEncoder().encode(String(revision)) };
}

function away(): SkeinError {
  return new SkeinError('SKEIN_NATS_UNAVAILABLE', 'away');
}

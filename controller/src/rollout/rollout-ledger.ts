import type { Clock } from '#common/clock.ts';
import { SkeinError } from '#common/errors.ts';
import type { RolloutRecord, Transition } from '#common/rollout/rollout.ts';
import { lostEveryRace } from '../keys/lost-every-race.ts';
import { SerialQueue } from '../keys/serial-queue.ts';
import type { KnownRollout, RolloutCache } from './rollout-cache.ts';
import type { RolloutStore } from './rollout-store.ts';
import type { RolloutEffect, RolloutEvent } from './step/event.ts';
import { step } from './step/step.ts';

export interface RolloutLedgerParts {
  readonly cache: RolloutCache;
  readonly store: Omit<RolloutStore, 'forget'>;
  readonly clock: Clock;
  /** Told of each stored transition; never rejects. */
  readonly tell: (record: RolloutRecord, transition: Transition) => Promise<void>;
}

/** What is left to do once a change is stored: all but the telling. */
export type RolloutWork = Exclude<RolloutEffect, { kind: 'tell' }>;

/** A change that was stored. */
export interface Transacted {
  readonly record: RolloutRecord;
  readonly revision: bigint;
  /** That it was made from. */
  readonly before: bigint;
  readonly work: readonly RolloutWork[];
}

export interface TransactOptions {
  /** Of the lease, when it is the driver who writes. */
  readonly epoch?: bigint;
  /** Looks at the newest record before the event; throws to refuse it. */
  readonly check?: (rollout: KnownRollout) => void;
  /** The check is of other rollouts too: that none of them owns the key. */
  readonly claims?: boolean;
}

/** The record before its first event, or one that was there already. */
export type Decision = { readonly make: RolloutRecord } | { readonly known: RolloutRecord };

/** Lost races against other controllers before giving up; within one controller, writes queue. */
const MAX_ATTEMPTS = 16;

/** Where rollouts are written: the newest record, one event, compare-and-set, and what happened is told. */
export class RolloutLedger {
  readonly #parts: RolloutLedgerParts;
  readonly #queue = new SerialQueue();

  constructor(parts: RolloutLedgerParts) {
    this.#parts = parts;
  }

  /**
   * Stores a rollout that begins with `event`, as decided on what is stored now.
   *
   * @param decide gives the record before the event; called again when others wrote meanwhile; throws to refuse it,
   *   and gives what is to be answered instead when there is nothing to make
   * @throws SkeinError SKEIN_CONFLICT, SKEIN_NATS_UNAVAILABLE, SKEIN_STORE_REFUSED, and what `decide` throws
   */
  create(decide: () => Decision, event: RolloutEvent): Promise<RolloutRecord> {
    return this.#queue.run('', async () => {
      const { cache, store } = this.#parts;
      const bases: bigint[] = [];
      for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
        // The cache trails the store by a moment: refuse only on what the store says.
        if (attempt > 1) await this.refresh();
        const { completeTo } = cache;
        let decided: Decision;
        try {
          decided = decide();
        } catch (refusal) {
          if (attempt > 1) throw refusal;
          continue;
        }
        if ('known' in decided) return decided.known;
        const { record, effects } = this.#step(decided.make, event);
        const result = await store.claim(record, cache.lastRevision(record.id), completeTo);
        if (result.kind === 'conflict') {
          bases.push(completeTo);
          continue;
        }
        cache.wrote({ id: record.id, revision: result.revision, record });
        await this.#tell(record, effects);
        return record;
      }
      throw lostEveryRace('new rollouts', bases);
    });
  }

  /**
   * What an event makes of a rollout, stored.
   *
   * @throws SkeinError SKEIN_ROLLOUT_NOT_FOUND, SKEIN_ROLLOUT_PHASE, SKEIN_APPROVAL_REQUIRED, SKEIN_LEASE_LOST,
   *   SKEIN_CONFLICT, SKEIN_NATS_UNAVAILABLE, SKEIN_STORE_REFUSED, and what `check` throws
   */
  transact(id: string, event: RolloutEvent, options: TransactOptions = {}): Promise<Transacted> {
    return this.#queue.run(id, async () => {
      const { cache, store } = this.#parts;
      const bases: bigint[] = [];
      for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
        if (attempt > 1) await this.refresh();
        const { completeTo } = cache;
        const known = cache.get(id);
        let next: { record: RolloutRecord; effects: readonly RolloutEffect[] };
        try {
          next = this.#decide(id, known, event, options);
        } catch (refusal) {
          if (attempt > 1) throw refusal;
          continue;
        }
        const { record, effects } = next;
        const work = effects.filter((effect) => effect.kind !== 'tell');
        if (!known) throw notFound(id);
        const { revision: before } = known;
        if (record === known.record) return { record, revision: before, before, work };
        const result = options.claims
          ? await store.claim(record, known.lastRevision, completeTo)
          : await store.put(record, known.lastRevision);
        if (result.kind === 'conflict') {
          bases.push(options.claims ? completeTo : known.lastRevision);
          continue;
        }
        cache.wrote({ id, revision: result.revision, record });
        // What was told by another before it died is found by comparing records with the audit log.
        if (event.kind !== 'adopted') await this.#tell(record, effects);
        return { record, revision: result.revision, before, work };
      }
      throw lostEveryRace(`rollout "${id}"`, bases);
    });
  }

  /** @throws SkeinError SKEIN_NATS_UNAVAILABLE; SKEIN_STORE_REFUSED when the bucket is gone */
  async refresh(): Promise<void> {
    const { cache, store } = this.#parts;
    const { entries, last } = await store.readAfter(cache.completeTo);
    for (const entry of entries) cache.ingest(entry);
    cache.readTo(last);
  }

  #decide(
    id: string,
    known: KnownRollout | undefined,
    event: RolloutEvent,
    { epoch, check }: TransactOptions,
  ): { record: RolloutRecord; effects: readonly RolloutEffect[] } {
    if (!known) throw notFound(id);
    if (epoch !== undefined && epoch < known.record.epoch) {
      throw new SkeinError(
        'SKEIN_LEASE_LOST',
        `rollout "${id}": driven under epoch ${known.record.epoch}, this is ${epoch}`,
      );
    }
    check?.(known);
    // The first write under a new epoch shuts out the driver of an older one.
    const isFenced = epoch === undefined || known.record.epoch === epoch;
    return this.#step(isFenced ? known.record : { ...known.record, epoch }, event);
  }

  #step(record: RolloutRecord, event: RolloutEvent) {
    const outcome = step(record, event, this.#parts.clock.now());
    if (outcome.refusal) throw outcome.refusal;
    return outcome;
  }

  async #tell(record: RolloutRecord, effects: readonly RolloutEffect[]): Promise<void> {
    for (const effect of effects) {
      if (effect.kind === 'tell') await this.#parts.tell(record, effect.transition);
    }
  }
}

export function notFound(id: string): SkeinError {
  return new SkeinError('SKEIN_ROLLOUT_NOT_FOUND', `rollout "${id}"`);
}

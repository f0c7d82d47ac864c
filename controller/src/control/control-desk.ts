import type { Clock } from '#common/clock.ts';
import { type Control, freezeAt } from '#common/control/control.ts';
import { SkeinError } from '#common/errors.ts';
import { CONTROL_KEY } from '#proto/subjects.ts';
import { assertNotFrozen, freezeText } from '../keys/admission.ts';
import type { MutationRequest } from '../keys/key-desk.ts';
import { lostEveryRace } from '../keys/lost-every-race.ts';
import { SerialQueue } from '../keys/serial-queue.ts';
import { withCohort, withoutCohort } from './cohorts.ts';
import type { ControlCache } from './control-cache.ts';
import type { ControlStore } from './control-store.ts';

export interface ControlDeskParts {
  readonly cache: ControlCache;
  readonly store: Pick<ControlStore, 'put'>;
  readonly clock: Clock;
  /** Told of each stored generation and what was before it; never rejects. */
  readonly audit: (previous: Control, next: Control) => Promise<void>;
  /** Kills or revives every key as the record says. */
  readonly enforceKillAll: () => Promise<void>;
}

/** What comes with every change. */
export type ControlRequest = Omit<MutationRequest, 'etag'>;

/** One change of the record. */
interface Edit {
  /** In words. */
  readonly what: string;
  /** Gives back `settings` itself when nothing changes. */
  readonly make: (settings: Settings, now: Date, current: Control) => Settings;
  /** Whether a record that the same words made has what this one asks for; absent: the words say all of it. */
  readonly isMadeIn?: (earlier: Control) => boolean;
}

/** The parts of the record that are edited. */
type Settings = Pick<Control, 'freeze' | 'killAll' | 'cohorts'>;

/** Lost races against other controllers before giving up. */
const MAX_ATTEMPTS = 8;

/**
 * Where the control record is changed: decide, sign, compare-and-set, audit. With validateOnly nothing is written, and
 * a request id that was seen before gives what was made then; one that changed nothing was not written down.
 *
 * All throw SkeinError SKEIN_NATS_UNAVAILABLE, SKEIN_STORE_REFUSED, SKEIN_CONFLICT; SKEIN_INVALID_ARGUMENT for a request
 * id of another request.
 */
export class ControlDesk {
  readonly #parts: ControlDeskParts;
  readonly #queue = new SerialQueue();

  constructor(parts: ControlDeskParts) {
    this.#parts = parts;
  }

  /**
   * @param until when it ends by itself; absent: when it is lifted
   * @throws SkeinError SKEIN_FROZEN when it is frozen already, SKEIN_INVALID_ARGUMENT for a time that has passed
   */
  freeze(request: ControlRequest, until?: Date): Promise<Control> {
    const { actor, reason } = request;
    return this.#change(request, {
      what: 'freeze',
      make(settings, now, current) {
        const standing = freezeAt(current, now);
        if (standing) {
          throw new SkeinError('SKEIN_FROZEN', `already ${freezeText(standing)}`, {
            remedy: 'Lift that freeze first, with skein freeze lift, to set another.',
          });
        }
        if (until && until <= now) {
          const what = `until: ${until.toISOString()} has passed`;
          throw new SkeinError('SKEIN_INVALID_ARGUMENT', what);
        }
        return { ...settings, freeze: { actor, reason, since: now, ...(until ? { until } : {}) } };
      },
      isMadeIn: ({ freeze }) => freeze?.until?.getTime() === until?.getTime(),
    });
  }

  /** @throws SkeinError SKEIN_INVALID_ARGUMENT when no freeze is in force */
  unfreeze(request: ControlRequest): Promise<Control> {
    return this.#change(request, {
      what: 'unfreeze',
      make({ freeze, ...rest }, now, current) {
        if (!freeze || !freezeAt(current, now)) {
          throw new SkeinError('SKEIN_INVALID_ARGUMENT', 'no freeze is in force', {
            remedy: 'There is nothing to lift.',
          });
        }
        return rest;
      },
    });
  }

  /** Resolves when every key is killed. Asked for again, it goes on with what is not killed yet. */
  async killAll(request: ControlRequest, value: boolean): Promise<Control> {
    const { actor, reason } = request;
    const control = await this.#change(request, {
      what: `kill all ${value ? 'on' : 'off'}`,
      make: (settings, now) =>
        settings.killAll?.value === value
          ? settings
          : { ...settings, killAll: { actor, reason, value, since: now } },
    });
    if (!request.validateOnly) await this.#parts.enforceKillAll();
    return control;
  }

  /**
   * Resolves when every key that it killed is revived.
   *
   * @throws SkeinError SKEIN_FROZEN; SKEIN_INVALID_ARGUMENT when no kill of all keys is in force
   */
  async reviveAll(request: ControlRequest): Promise<Control> {
    const control = await this.#change(request, {
      what: 'revive all',
      make({ killAll, ...rest }, now, current) {
        if (!killAll) {
          throw new SkeinError('SKEIN_INVALID_ARGUMENT', 'no kill of all keys is in force', {
            remedy: 'A key that was killed by itself is revived by itself: skein revive KEY.',
          });
        }
        assertNotFrozen(current, now);
        return rest;
      },
    });
    if (!request.validateOnly) await this.#parts.enforceKillAll();
    return control;
  }

  /** @throws SkeinError SKEIN_INVALID_ARGUMENT for a name or a number of cohorts that cannot be, SKEIN_BAD_SELECTOR */
  setCohort(request: ControlRequest, name: string, selector: string): Promise<Control> {
    return this.#change(request, {
      what: `cohort ${name} set`,
      make(settings) {
        const cohorts = withCohort(settings.cohorts, name, selector);
        return cohorts === settings.cohorts ? settings : { ...settings, cohorts };
      },
      isMadeIn: ({ cohorts }) => withCohort(cohorts, name, selector) === cohorts,
    });
  }

  /** @throws SkeinError SKEIN_COHORT_NOT_FOUND */
  deleteCohort(request: ControlRequest, name: string): Promise<Control> {
    return this.#change(request, {
      what: `cohort ${name} deleted`,
      make: (settings) => ({ ...settings, cohorts: withoutCohort(settings.cohorts, name) }),
    });
  }

  #change(request: ControlRequest, edit: Edit): Promise<Control> {
    return this.#queue.run(CONTROL_KEY, async () => {
      const { actor, reason, requestId, validateOnly } = request;
      const { cache, store, clock, audit } = this.#parts;
      const bases: bigint[] = [];
      for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
        await cache.refresh();
        const done = earlierResult(cache.history(), request, edit);
        if (done) return done;
        const current = cache.current();
        const revision = cache.lastRevision();
        const now = clock.now();
        const { generation: _, note: __, ...settings } = current;
        const edited = edit.make(settings, now, current);
        if (edited === settings) return current;
        const note = { actor, reason, time: now, what: edit.what, requestId };
        const next: Control = { ...edited, generation: cache.nextGeneration(), note };
        if (validateOnly) return next;
        const result = await store.put(next, revision);
        if (result.kind === 'conflict') {
          bases.push(revision);
          continue;
        }
        cache.ingest({ name: CONTROL_KEY, revision: result.revision, value: result.value });
        await audit(current, next);
        return next;
      }
      throw lostEveryRace('control record', bases);
    });
  }
}

/** @throws SkeinError SKEIN_INVALID_ARGUMENT when the request id was used for something else */
function earlierResult(
  history: readonly Control[],
  { actor, reason, requestId }: ControlRequest,
  { what, isMadeIn = () => true }: Edit,
): Control | undefined {
  if (requestId === '') return undefined;
  const earlier = history.find(({ note }) => note?.requestId === requestId);
  if (!earlier?.note) return undefined;
  const { note } = earlier;
  const isSame = note.actor === actor && note.reason === reason && note.what === what;
  if (isSame && isMadeIn(earlier)) return earlier;
  throw new SkeinError(
    'SKEIN_INVALID_ARGUMENT',
    `request_id: "${requestId}" made generation ${earlier.generation} of the control record with other content`,
    { remedy: 'Use a new request id for a new request.' },
  );
}

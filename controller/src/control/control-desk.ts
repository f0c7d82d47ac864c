import type { Clock } from '#common/clock.ts';
import { type Control, freezeAt } from '#common/control/control.ts';
import { SkeinError } from '#common/errors.ts';
import { CONTROL_KEY } from '#proto/subjects.ts';
import { assertNotFrozen, freezeText } from '../keys/admission.ts';
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

/** Who asks, and why. */
export interface ControlRequest {
  readonly actor: string;
  readonly reason: string;
}

/** The parts of the record that are edited. */
type Settings = Pick<Control, 'freeze' | 'killAll' | 'cohorts'>;

/** Lost races against other controllers before giving up. */
const MAX_ATTEMPTS = 8;

/** Where the control record is changed: decide, sign, compare-and-set, audit. All throw SKEIN_NATS_UNAVAILABLE, SKEIN_CONFLICT. */
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
    return this.#change('freeze', request, (settings, now, current) => {
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
      return { ...settings, freeze: { ...request, since: now, ...(until ? { until } : {}) } };
    });
  }

  /** @throws SkeinError SKEIN_INVALID_ARGUMENT when no freeze is in force */
  unfreeze(request: ControlRequest): Promise<Control> {
    return this.#change('unfreeze', request, ({ freeze, ...rest }, now, current) => {
      if (!freeze || !freezeAt(current, now)) {
        throw new SkeinError('SKEIN_INVALID_ARGUMENT', 'no freeze is in force', {
          remedy: 'There is nothing to lift.',
        });
      }
      return rest;
    });
  }

  /** Resolves when every key is killed. Asked for again, it goes on with what is not killed yet. */
  async killAll(request: ControlRequest, value: boolean): Promise<Control> {
    const what = `kill all ${value ? 'on' : 'off'}`;
    const control = await this.#change(what, request, (settings, now) =>
      settings.killAll?.value === value
        ? settings
        : { ...settings, killAll: { ...request, value, since: now } },
    );
    await this.#parts.enforceKillAll();
    return control;
  }

  /**
   * Resolves when every key that it killed is revived.
   *
   * @throws SkeinError SKEIN_FROZEN; SKEIN_INVALID_ARGUMENT when no kill of all keys is in force
   */
  async reviveAll(request: ControlRequest): Promise<Control> {
    const control = await this.#change(
      'revive all',
      request,
      ({ killAll, ...rest }, now, current) => {
        if (!killAll) {
          throw new SkeinError('SKEIN_INVALID_ARGUMENT', 'no kill of all keys is in force', {
            remedy: 'A key that was killed by itself is revived by itself: skein revive KEY.',
          });
        }
        assertNotFrozen(current, now);
        return rest;
      },
    );
    await this.#parts.enforceKillAll();
    return control;
  }

  /** @throws SkeinError SKEIN_INVALID_ARGUMENT for a name or a number of cohorts that cannot be, SKEIN_BAD_SELECTOR */
  setCohort(request: ControlRequest, name: string, selector: string): Promise<Control> {
    return this.#change(`cohort ${name} set`, request, (settings) => {
      const cohorts = withCohort(settings.cohorts, name, selector);
      return cohorts === settings.cohorts ? settings : { ...settings, cohorts };
    });
  }

  /** @throws SkeinError SKEIN_COHORT_NOT_FOUND */
  deleteCohort(request: ControlRequest, name: string): Promise<Control> {
    return this.#change(`cohort ${name} deleted`, request, (settings) => ({
      ...settings,
      cohorts: withoutCohort(settings.cohorts, name),
    }));
  }

  /** @param edit gives back `settings` itself when nothing changes */
  #change(
    what: string,
    request: ControlRequest,
    edit: (settings: Settings, now: Date, current: Control) => Settings,
  ): Promise<Control> {
    return this.#queue.run(CONTROL_KEY, async () => {
      const { cache, store, clock, audit } = this.#parts;
      for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
        await cache.refresh();
        const current = cache.current();
        const revision = cache.lastRevision();
        const now = clock.now();
        const { generation: _, note: __, ...settings } = current;
        const edited = edit(settings, now, current);
        if (edited === settings) return current;
        const generation = cache.nextGeneration();
        const next: Control = { ...edited, generation, note: { ...request, time: now, what } };
        const result = await store.put(next, revision);
        if (result.kind === 'conflict') continue;
        cache.ingest({ name: CONTROL_KEY, revision: result.revision, value: result.value });
        await audit(current, next);
        return next;
      }
      throw new SkeinError(
        'SKEIN_CONFLICT',
        `control record: others wrote to it ${MAX_ATTEMPTS} times in a row`,
        { remedy: 'Try again.' },
      );
    });
  }
}

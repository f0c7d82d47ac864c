import type { DesiredState } from '#common/desired.ts';
import type { KeyObservation } from '#common/observed.ts';
import type { RolloutRecord } from '#common/rollout/rollout.ts';
import { hostHash } from '#common/targeting/portion.ts';
import { isLive, type KnownHost } from '../../fleet/host.ts';
import { phaseOf } from '../../keys/progress.ts';
import type { SeenHosts } from '../step/event.ts';
import { isHeard } from './eligible.ts';
import { cohortSelectors, goalOf } from './goals.ts';
import { type Hashed, selects, takes } from './ranked.ts';
import { inForceOf } from './rules.ts';

type Standing = 'applied' | 'pending' | 'failed' | 'unavailable';

/** What rules make of a host; the same until its labels change. */
interface Place {
  readonly labels: Readonly<Record<string, string>>;
  readonly matches: boolean;
  readonly taken: boolean;
  readonly inCohorts: boolean;
  readonly claimed: boolean;
}

interface Entry {
  readonly host: KnownHost;
  readonly place: Place;
  readonly bound: boolean;
  /** Live, or heard since the rollout began. */
  readonly heard: boolean;
  readonly standing: Standing;
}

/** Hosts of a standing that are named. */
const NAMED = 10;

/**
 * How far the fleet has come with a rollout, kept up to date host by host. It is of one step and of one generation of
 * the key: when either changes, make another.
 */
export class Tally {
  readonly #record: RolloutRecord;
  readonly #desired: DesiredState;
  readonly #inForce: SeenHosts['inForce'];
  readonly #placeOf: (host: KnownHost) => Place;
  readonly #entries = new Map<string, Entry>();
  #bound = 0;
  #eligible = 0;
  #taken = 0;
  #inCohorts = 0;
  #claimed = 0;
  readonly #standing: Readonly<Record<Standing, Set<string>>> = {
    applied: new Set(),
    pending: new Set(),
    failed: new Set(),
    unavailable: new Set(),
  };

  /** @param desired the newest state of the rollout's key */
  constructor(record: RolloutRecord, desired: DesiredState, hosts: Iterable<KnownHost>, now: Date) {
    this.#record = record;
    this.#desired = desired;
    this.#inForce = inForceOf(desired.rules, record.id);
    this.#placeOf = places(record, desired);
    for (const host of hosts) this.update(host, now);
  }

  /** Whether this is still what a rollout's standing is counted by. */
  isOf({ id, state }: RolloutRecord, { generation }: DesiredState): boolean {
    return (
      id === this.#record.id &&
      state.step === this.#record.state.step &&
      state.startedAt?.getTime() === this.#record.state.startedAt?.getTime() &&
      generation === this.#desired.generation
    );
  }

  /** A host was heard, fell silent, or said something new. */
  update(host: KnownHost, now: Date): void {
    const name = host.report.host;
    const before = this.#entries.get(name);
    const after = this.#entryOf(host, before, now);
    const bound = this.#bound + Number(after.bound) - Number(before?.bound ?? false);
    if (bound > 0 === this.#bound > 0) {
      if (before) this.#count(before, -1);
      this.#entries.set(name, after);
      this.#bound = bound;
      this.#count(after, 1);
      return;
    }
    // Whether any host binds the key decides whom the rollout concerns.
    for (const entry of this.#entries.values()) this.#count(entry, -1);
    this.#entries.set(name, after);
    this.#bound = bound;
    for (const entry of this.#entries.values()) this.#count(entry, 1);
  }

  seen(): SeenHosts {
    const { spec, state } = this.#record;
    const last = spec.steps[Math.min(state.step, spec.steps.length - 1)];
    const { applied, pending, failed, unavailable } = this.#standing;
    const counts = {
      eligible: this.#eligible,
      inCohorts: this.#inCohorts,
      claimed: this.#claimed,
    };
    return {
      step: state.step,
      ...(this.#inForce ? { inForce: this.#inForce } : {}),
      tally: {
        eligible: this.#eligible,
        goal: last ? goalOf(last.reach, counts) : 0,
        taken: this.#taken,
        applied: applied.size,
        pending: pending.size,
        failed: failed.size,
        unavailable: unavailable.size,
        failedHosts: someOf(failed),
        pendingHosts: someOf(pending),
        unavailableHosts: someOf(unavailable),
      },
    };
  }

  #entryOf(host: KnownHost, before: Entry | undefined, now: Date): Entry {
    const { labels } = host.report;
    const place = before?.place.labels === labels ? before.place : this.#placeOf(host);
    const observation = host.observations.get(this.#desired.name);
    const heard = isHeard(host, this.#record.state.startedAt, now);
    return {
      host,
      place,
      bound: observation !== undefined,
      heard,
      standing: this.#standingOf(host, observation, now),
    };
  }

  #standingOf(host: KnownHost, observation: KeyObservation | undefined, now: Date): Standing {
    if (observation) {
      const phase = phaseOf(this.#desired, host, observation, now);
      return phase === 'lost' ? 'unavailable' : phase;
    }
    if (!isLive(host, now)) return 'unavailable';
    // A host that does not bind the key never says that it has it. It has nothing to give back either.
    return this.#inForce ? 'pending' : 'applied';
  }

  #count({ host, place, bound, heard, standing }: Entry, by: 1 | -1): void {
    if (!heard || !place.matches || (!bound && this.#bound > 0)) return;
    this.#eligible += by;
    this.#taken += place.taken ? by : 0;
    this.#inCohorts += place.inCohorts ? by : 0;
    this.#claimed += place.claimed ? by : 0;
    if (this.#inForce && !place.taken) return;
    const names = this.#standing[standing];
    if (by === 1) names.add(host.report.host);
    else names.delete(host.report.host);
  }
}

function places(
  { id, spec, state }: RolloutRecord,
  { rules }: DesiredState,
): (host: KnownHost) => Place {
  const own = rules.filter(({ rollout }) => rollout?.id === id);
  const isTaken = takes(own);
  const isConcerned = selects(spec.selector);
  const cohorts = cohortSelectors(spec, state.step);
  const inCohort = cohorts.map(selects);
  const byRank = takes(own.filter(({ selector }) => !cohorts.includes(selector)));
  return ({ report: { host, labels } }) => {
    const target: Hashed = { host, labels, hash: hostHash(spec.key, host) };
    const inCohorts = inCohort.some((isIn) => isIn(target));
    return {
      labels,
      matches: isConcerned(target),
      taken: isTaken(target),
      inCohorts,
      claimed: inCohorts || byRank(target),
    };
  };
}

function someOf(names: ReadonlySet<string>): string[] {
  return names.values().take(NAMED).toArray();
}

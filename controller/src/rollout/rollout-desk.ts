import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '#common/clock.ts';
import { freezeAt } from '#common/control/control.ts';
import type { DesiredState } from '#common/desired.ts';
import { SkeinError } from '#common/errors.ts';
import { type ApprovalPolicy, isOver, type RolloutRecord } from '#common/rollout/rollout.ts';
import type { RolloutSpec } from '#common/rollout/spec.ts';
import type { KnownHost } from '../fleet/host.ts';
import { assertNotFrozen } from '../keys/admission.ts';
import type { AdmissionPorts, MutationRequest } from '../keys/key-desk.ts';
import { rolloutOf } from '../keys/rollout-rules.ts';
import { approvalPolicyFor } from './approval-policy.ts';
import { lostRecord } from './lost-rollout.ts';
import { checkSpec } from './plan/check-spec.ts';
import { type Preview, previewOf } from './plan/preview.ts';
import type { KnownRollout, RolloutCache } from './rollout-cache.ts';
import { newRolloutId } from './rollout-id.ts';
import { type Decision, notFound, type RolloutLedger } from './rollout-ledger.ts';
import type { RolloutEvent } from './step/event.ts';
import { newRecord } from './step/new-record.ts';

export interface RolloutDeskParts {
  readonly cache: RolloutCache;
  readonly ledger: RolloutLedger;
  readonly admission: Pick<AdmissionPorts, 'control' | 'approvals'>;
  readonly keys: {
    names(): readonly string[];
    head(name: string): DesiredState | undefined;
    /** Reads what the bucket has now. @throws SkeinError SKEIN_NATS_UNAVAILABLE */
    refresh(name: string): Promise<void>;
  };
  readonly hosts: () => readonly KnownHost[];
  /** Warnings about the queries of gates. @throws SkeinError for one that cannot work */
  readonly checkQueries: (spec: RolloutSpec) => Promise<readonly string[]>;
  /** Everybody who may call. */
  readonly principals: readonly string[];
  readonly clock: Clock;
}

export interface RolloutPlan extends Preview {
  /** Normalised, with its cohorts resolved. */
  readonly spec: RolloutSpec;
  readonly approval: ApprovalPolicy;
}

/** What an operator does to a rollout. */
export type OperatorAction = Exclude<
  Extract<RolloutEvent, { actor: string }>,
  { kind: 'start' | 'killed' }
>;

/** They let hosts be changed, so they are held up by a freeze, and by a kill. */
const ONWARD: ReadonlySet<OperatorAction['kind']> = new Set([
  'resume',
  'promote',
  'skip-step',
  'retry',
]);

/** Where operators start rollouts and act on them. All may throw SKEIN_NATS_UNAVAILABLE and SKEIN_CONFLICT. */
export class RolloutDesk {
  readonly #parts: RolloutDeskParts;

  constructor(parts: RolloutDeskParts) {
    this.#parts = parts;
  }

  /**
   * What starting would do.
   *
   * @throws SkeinError SKEIN_KEY_NOT_FOUND, and what checkSpec(), checkQueries() and approvalPolicyFor() throw
   */
  async plan(asked: RolloutSpec, actor: string): Promise<RolloutPlan> {
    const { hosts, clock, admission, checkQueries } = this.#parts;
    await this.#refresh(asked.key);
    const spec = this.#checked(asked);
    const approval = this.#approvalFor(spec, actor);
    const untried = await checkQueries(spec);
    const now = clock.now();
    const freeze = freezeAt(admission.control.current(), now);
    const desired = this.#keyOf(spec);
    const preview = previewOf(spec, {
      desired,
      hosts: hosts(),
      now,
      ...(freeze ? { freeze } : {}),
    });
    return { ...preview, spec, approval, warnings: [...preview.warnings, ...untried] };
  }

  /**
   * @returns the rollout that was made; the earlier one when the request id was seen before; with validateOnly the one
   *   that would have been made
   * @throws SkeinError SKEIN_FROZEN, SKEIN_KEY_KILLED, SKEIN_KEY_OWNED, and what plan() throws
   */
  async start(asked: RolloutSpec, request: MutationRequest): Promise<RolloutRecord> {
    const { ledger, checkQueries } = this.#parts;
    const { actor, reason } = request;
    await this.#refresh(asked.key);
    const earlier = this.#earlier(asked, request);
    if (earlier) return earlier;
    await checkQueries(this.#checked(asked));
    const decide = (): Decision => {
      const known = this.#earlier(asked, request);
      return known ? { known } : { make: this.#newRecord(asked, request) };
    };
    if (request.validateOnly) {
      await ledger.refresh();
      const decided = decide();
      return 'known' in decided ? decided.known : decided.make;
    }
    return await ledger.create(decide, { kind: 'start', actor, reason });
  }

  /**
   * @param name an id, or the name of a key
   * @param etag empty: whatever is current
   * @throws SkeinError SKEIN_ROLLOUT_NOT_FOUND, SKEIN_ROLLOUT_PHASE, SKEIN_APPROVAL_REQUIRED, SKEIN_FROZEN,
   *   SKEIN_KEY_KILLED, SKEIN_KEY_OWNED; SKEIN_CONFLICT for a stale etag
   */
  async act(name: string, action: OperatorAction, etag: string): Promise<RolloutRecord> {
    const { ledger } = this.#parts;
    if (action.kind === 'abort' && action.rollback) {
      const lost = await this.#lostAs(name);
      if (lost) return await ledger.create(() => this.#madeAnew(lost, action.actor), action);
    }
    const { id, spec } = (await this.find(name)).record;
    const isOnward = ONWARD.has(action.kind);
    if (isOnward) await this.#refresh(spec.key);
    const { record } = await ledger.transact(id, action, {
      // A rollout that was over owns its key again.
      claims: action.kind === 'retry',
      check: ({ record }) => {
        assertCurrent(record, etag);
        if (isOnward) this.#assertMayGoOn(record);
      },
    });
    return record;
  }

  /**
   * @param name an id, or the name of a key: the rollout that owns it, else its newest
   * @throws SkeinError SKEIN_ROLLOUT_NOT_FOUND
   */
  async find(name: string): Promise<KnownRollout> {
    try {
      return this.known(name);
    } catch {
      // The cache trails the store by a moment.
      await this.#parts.ledger.refresh();
      return this.known(name);
    }
  }

  /** The same, of what this controller has seen so far. */
  known(name: string): KnownRollout {
    const { cache } = this.#parts;
    const ofKey = cache.ofKey(name);
    const owner = ofKey.find(({ record }) => !isOver(record.state));
    const known = cache.get(name) ?? owner ?? ofKey[0];
    if (!known) throw notFound(name);
    return known;
  }

  /** The key with rules of a rollout that there is no record of, by its name or by that of the rollout. */
  async #lostAs(name: string): Promise<DesiredState | undefined> {
    const { cache, keys, ledger } = this.#parts;
    const find = () =>
      keys.names().flatMap((key) => {
        const state = keys.head(key);
        const marked = state && !state.deleted ? rolloutOf(state.rules) : undefined;
        const isMeant = marked !== undefined && (key === name || marked === name);
        return state && isMeant && !cache.get(marked) ? [state] : [];
      })[0];
    if (!find()) return undefined;
    await ledger.refresh();
    return find();
  }

  #madeAnew(state: DesiredState, actor: string): Decision {
    const record = lostRecord(state, actor, this.#parts.clock.now());
    if (record && !this.#parts.cache.get(record.id)) return { make: record };
    throw new SkeinError('SKEIN_CONFLICT', `fleet key "${state.name}": its rollout came back`, {
      remedy: 'Try again.',
    });
  }

  /** Freezes and kills hold at once, on whichever controller they were made. */
  async #refresh(key: string): Promise<void> {
    const { admission, keys } = this.#parts;
    await Promise.all([admission.control.refresh(), keys.refresh(key)]);
  }

  #checked(spec: RolloutSpec): RolloutSpec {
    const { admission, clock } = this.#parts;
    this.#keyOf(spec);
    return checkSpec(spec, { cohorts: admission.control.current().cohorts, now: clock.now() });
  }

  #keyOf({ key }: RolloutSpec): DesiredState {
    const state = this.#parts.keys.head(key);
    if (state && !state.deleted) return state;
    throw new SkeinError('SKEIN_KEY_NOT_FOUND', `fleet key "${key}"`);
  }

  #approvalFor(spec: RolloutSpec, creator: string): ApprovalPolicy {
    const { admission, principals } = this.#parts;
    return approvalPolicyFor(spec, creator, admission.approvals, principals);
  }

  #newRecord(asked: RolloutSpec, { actor, requestId }: MutationRequest): RolloutRecord {
    const { clock, cache } = this.#parts;
    const spec = this.#checked(asked);
    const approval = this.#approvalFor(spec, actor);
    const id = newRolloutId(spec.key, (taken) => cache.get(taken) !== undefined);
    const record = newRecord({ id, spec, requestId, creator: actor, approval, now: clock.now() });
    this.#assertMayGoOn(record);
    return record;
  }

  #assertMayGoOn({ id, spec, state }: RolloutRecord): void {
    const { admission, cache, clock } = this.#parts;
    assertNotFrozen(admission.control.current(), clock.now());
    const place = `fleet key "${spec.key}"`;
    const owner = cache.ownerOf(spec.key);
    if (owner && owner.id !== id) {
      throw new SkeinError(
        'SKEIN_KEY_OWNED',
        `${place}: rollout ${owner.id} (${owner.state.phase}) owns it`,
      );
    }
    const { kill, rules } = this.#keyOf(spec);
    const marked = rolloutOf(rules);
    if (marked !== undefined && marked !== id) {
      throw new SkeinError('SKEIN_KEY_OWNED', `${place}: rollout ${marked} has rules in it`);
    }
    if (kill !== undefined) {
      const what = state.phase === 'planned' ? 'starts' : 'goes on';
      throw new SkeinError('SKEIN_KEY_KILLED', `${place} is killed: no rollout of it ${what}`);
    }
  }

  /** @throws SkeinError SKEIN_INVALID_ARGUMENT when the request id was used for something else */
  #earlier(asked: RolloutSpec, request: MutationRequest): RolloutRecord | undefined {
    const { cache } = this.#parts;
    const { requestId, actor } = request;
    if (requestId === '') return undefined;
    const earlier = cache.all().find(({ record }) => record.requestId === requestId)?.record;
    if (!earlier) return undefined;
    const isSame = earlier.creator === actor && isSameSpec(earlier.spec, asked);
    if (isSame) return earlier;
    throw new SkeinError(
      'SKEIN_INVALID_ARGUMENT',
      `request_id: "${requestId}" started rollout ${earlier.id}, which is another one`,
      { remedy: 'Use a new request id for a new request.' },
    );
  }
}

/** Opaque to clients. Each decision makes another one; what is observed meanwhile does not. */
export function etagOf({ transitions }: RolloutRecord): string {
  return String(transitions.at(-1)?.sequence ?? 0);
}

function assertCurrent(record: RolloutRecord, etag: string): void {
  const current = etagOf(record);
  if (etag === '' || etag === current) return;
  throw new SkeinError(
    'SKEIN_CONFLICT',
    `rollout "${record.id}": etag ${JSON.stringify(etag)} is stale, it is at ${current}`,
    { remedy: 'Read the rollout again and decide anew.' },
  );
}

/** What asked for it; selectors were written anew when it was made. */
function isSameSpec(made: RolloutSpec, asked: RolloutSpec): boolean {
  return isDeepStrictEqual(withoutSelectors(made), withoutSelectors(asked));
}

function withoutSelectors(spec: RolloutSpec): RolloutSpec {
  const steps = spec.steps.map((step) =>
    step.reach.kind === 'cohort' ? { ...step, reach: { ...step.reach, selector: '' } } : step,
  );
  return { ...spec, selector: '', steps };
}

import type { Clock } from '#common/clock.ts';
import type { Control } from '#common/control/control.ts';
import type { DesiredState } from '#common/desired.ts';
import { sealDesired } from '#common/envelope.ts';
import { SkeinError } from '#common/errors.ts';
import type { Signer } from '#common/nkey.ts';
import type { KnownHost } from '../fleet/host.ts';
import { admit, type KeyOwner } from './admission.ts';
import type { ApprovalRule } from './approvals.ts';
import { hostsOf } from './bound-hosts.ts';
import { applyMutation } from './change.ts';
import type { KeyCache } from './key-cache.ts';
import type { KeyStore } from './key-store.ts';
import { lostEveryRace } from './lost-every-race.ts';
import type { Mutation } from './mutation.ts';
import { isResultOf } from './result-of.ts';
import { SerialQueue } from './serial-queue.ts';

/** What comes with every mutation. Empty strings mean: not given. */
export interface MutationRequest {
  readonly actor: string;
  readonly reason: string;
  readonly requestId: string;
  readonly etag: string;
  readonly validateOnly: boolean;
}

export interface KeyDeskParts {
  readonly cache: KeyCache;
  readonly store: KeyStore;
  readonly signer: Signer;
  readonly clock: Clock;
  readonly hosts: () => readonly KnownHost[];
  readonly admission: AdmissionPorts;
  /** Told of each stored generation and what was before it; never rejects. */
  readonly audit: (previous: DesiredState | undefined, next: DesiredState) => Promise<void>;
}

/** What admission.ts goes by. */
export interface AdmissionPorts {
  readonly control: {
    current(): Control;
    /** Reads what the bucket has now. @throws SkeinError SKEIN_NATS_UNAVAILABLE, SKEIN_STORE_REFUSED */
    refresh(): Promise<void>;
  };
  /** The rollout that owns the key. */
  readonly ownerOf: (key: string) => KeyOwner | undefined;
  readonly approvals: readonly ApprovalRule[];
}

/** Lost races against other controllers before giving up; within one controller, writes to a key queue. */
const MAX_ATTEMPTS = 8;

/** Where fleet keys are changed: decide, sign, compare-and-set, audit. */
export class KeyDesk {
  readonly #parts: KeyDeskParts;
  readonly #queue = new SerialQueue();

  constructor(parts: KeyDeskParts) {
    this.#parts = parts;
  }

  /**
   * @returns the generation that was made; the earlier one when the request id was seen before; the current one
   *   when there was nothing to write, which leaves the request id as good as new; with validateOnly the one that
   *   would have been made
   * @throws SkeinError SKEIN_CONFLICT, SKEIN_NATS_UNAVAILABLE, SKEIN_STORE_REFUSED, and what applyMutation() and
   *   admit() throw
   */
  mutate(mutation: Mutation, request: MutationRequest): Promise<DesiredState> {
    return this.#queue.run(mutation.name, () => this.#mutate(mutation, request));
  }

  async #mutate(mutation: Mutation, request: MutationRequest): Promise<DesiredState> {
    const { cache, store, signer, audit, admission } = this.#parts;
    const { name } = mutation;
    if (isHeldByFreeze(mutation)) await admission.control.refresh();
    const bases: bigint[] = [];
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const done = earlierResult(cache, mutation, request);
      if (done) return done;
      const previous = cache.head(name);
      const revision = cache.lastRevision(name);
      let next: DesiredState;
      try {
        next = this.#decide(previous, mutation, request);
      } catch (refusal) {
        // The cache trails the bucket by a moment: refuse only on what the bucket says.
        if (attempt > 1) throw refusal;
        await this.#refresh(name);
        continue;
      }
      if (request.validateOnly || next === previous) return next;
      const value = sealDesired(next, signer);
      const result = await store.put(name, value, revision);
      if (result.kind === 'stored') {
        cache.ingest({ name, revision: result.revision, value });
        await audit(previous, next);
        return next;
      }
      bases.push(revision);
      await this.#refresh(name);
    }
    throw lostEveryRace(`fleet key "${name}"`, bases);
  }

  #decide(
    previous: DesiredState | undefined,
    mutation: Mutation,
    request: MutationRequest,
  ): DesiredState {
    const { cache, clock, hosts, admission } = this.#parts;
    const { actor, reason, requestId, etag } = request;
    const now = clock.now();
    const control = admission.control.current();
    const next = applyMutation(previous, mutation, {
      generation: cache.nextGeneration(mutation.name),
      change: { actor, reason, requestId, time: now },
      bound: () => hostsOf(mutation.name, hosts()).map(({ report }) => report),
      ...(control.killAll ? { killAll: control.killAll } : {}),
    });
    const standing = previous ? etagOf(previous) : '';
    if (etag !== '' && etag !== standing) {
      const where = previous ? `it is at ${standing}` : 'there is no such key';
      throw new SkeinError(
        'SKEIN_CONFLICT',
        `fleet key "${mutation.name}": etag ${JSON.stringify(etag)} is stale, ${where}`,
      );
    }
    if (next !== previous) {
      const owner = admission.ownerOf(mutation.name);
      const { approvals } = admission;
      admit(mutation, { control, now, current: previous, owner, approvals });
    }
    return next;
  }

  async #refresh(name: string): Promise<void> {
    const { cache, store } = this.#parts;
    for (const entry of await store.read(name)) cache.ingest(entry);
  }
}

/** A freeze must hold at once, whichever controller it was set on; a kill and the driver of rollouts wait for nothing. */
function isHeldByFreeze(mutation: Mutation): boolean {
  const { action } = mutation;
  return action !== 'kill' && action !== 'rollout' && !(action === 'revive' && mutation.all);
}

/** Opaque to clients. */
export function etagOf(state: DesiredState): string {
  return state.generation.toString();
}

/** @throws SkeinError SKEIN_INVALID_ARGUMENT when the request id was used for something else */
function earlierResult(
  cache: Pick<KeyCache, 'history'>,
  mutation: Mutation,
  request: MutationRequest,
): DesiredState | undefined {
  if (request.requestId === '') return undefined;
  const history = cache.history(mutation.name);
  const earlier = history.find(({ change }) => change.requestId === request.requestId);
  if (earlier && !isResultOf(earlier, mutation, request)) {
    throw new SkeinError(
      'SKEIN_INVALID_ARGUMENT',
      `request_id: "${request.requestId}" made generation ${earlier.generation} of "${mutation.name}" with other content`,
      { remedy: 'Use a new request id for a new request.' },
    );
  }
  return earlier;
}

import type { ApprovalPolicy, HostTally, RolloutRecord } from '#common/rollout/rollout.ts';
import type { RolloutSpec } from '#common/rollout/spec.ts';

/** RolloutService as the commands see it. A rollout is named by its id, or by the key that it is of. */
export interface RolloutCalls {
  /** What {@link start} would do; changes nothing. */
  plan(spec: RolloutSpec): Promise<RolloutPlan>;
  start(request: StartRollout): Promise<RolloutView>;
  get(id: string): Promise<RolloutView>;
  /** Newest first. */
  list(query: RolloutQuery): Promise<readonly RolloutView[]>;
  /** The current state, then each change, until `signal` aborts. An empty id watches all that are not over. */
  watch(id: string, signal: AbortSignal): AsyncIterable<RolloutView>;
  act(action: RolloutAction, request: RolloutActionRequest): Promise<RolloutView>;
  abort(request: AbortRollout): Promise<RolloutView>;
}

export type RolloutAction = 'approve' | 'pause' | 'resume' | 'promote' | 'skip-step' | 'retry';

export interface RolloutView {
  readonly record: RolloutRecord;
  /** Opaque. */
  readonly etag: string;
  readonly hosts: HostTally;
}

export interface RolloutPlan {
  /** Normalised, with cohorts resolved and defaults filled in. */
  readonly spec: RolloutSpec;
  readonly steps: readonly PlannedStep[];
  /** Hosts in the fleet, of those that bind the key, of those that match the selector. */
  readonly fleet: number;
  readonly bound: number;
  readonly eligible: number;
  /** Hosts whose value the whole rollout changes. */
  readonly changed: number;
  readonly warnings: readonly string[];
  /** "guard/guard_xdp on 3 hosts" */
  readonly programs: readonly string[];
  readonly approval: ApprovalPolicy;
  /** Waits and gates included, acknowledgements not. */
  readonly shortestMs: bigint;
}

export interface PlannedStep {
  /** "10 %", "3 hosts", "cohort canary" */
  readonly title: string;
  /** Taken in when the step is done. */
  readonly hosts: number;
  readonly added: number;
  /** The first few. */
  readonly addedHosts: readonly string[];
}

interface StartRollout {
  readonly spec: RolloutSpec;
  readonly reason: string;
  readonly validateOnly: boolean;
}

interface RolloutQuery {
  /** Empty: of all keys. */
  readonly key: string;
  /** Also those that are over. */
  readonly all: boolean;
}

interface RolloutActionRequest {
  readonly id: string;
  readonly reason: string;
  /** Empty: whatever is current. */
  readonly etag: string;
  /** Of promote: through all that is left. */
  readonly all: boolean;
}

interface AbortRollout extends Omit<RolloutActionRequest, 'all'> {
  /** Give the changed hosts back what they had. */
  readonly rollback: boolean;
}

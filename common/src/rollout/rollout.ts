import type { RolloutSpec } from './spec.ts';

/** A rollout as it is stored: what was asked for, where it stands, and how it came there. */
export interface RolloutRecord {
  readonly id: string;
  readonly spec: RolloutSpec;
  readonly state: RolloutState;
  /** Oldest first; the last 100. */
  readonly transitions: readonly Transition[];
  /** Lease epoch of the last write by the driver. */
  readonly epoch: bigint;
  readonly requestId: string;
  /** Who started it; may not approve it. */
  readonly creator: string;
  readonly createdAt: Date;
  readonly approval: ApprovalPolicy;
}

export const PHASES = [
  /** Waits for its start time, for approvals, or for what blocks it. */
  'planned',
  /** Hosts of the step are being changed. */
  'running',
  'baking',
  /** The bake is over, gates are not decided. */
  'gating',
  'paused',
  /** Given up. With a roll-back: until it is read back on every live host. */
  'aborted',
  'rolled-back',
  'completed',
] as const;
export type Phase = (typeof PHASES)[number];

export interface RolloutState {
  readonly phase: Phase;
  /** Of the phase. */
  readonly since: Date;
  /** Index of the step that is being taken; as many as there are steps when all are done. */
  readonly step: number;
  /** How many hosts the key's rules are to take in by now, those of earlier steps included. 0: none, no rule. */
  readonly width: number;
  /** When width last grew. */
  readonly widenedAt?: Date;
  readonly startedAt?: Date;
  /** While baking. */
  readonly bakeUntil?: Date;
  readonly deadlineAt?: Date;
  /** One for each gate of the step; empty before the bake. */
  readonly gates: readonly GateProgress[];
  /** While paused. */
  readonly pause?: Pause;
  /** While aborted: its rules are being taken back. */
  readonly rollingBack: boolean;
  /** Why it was aborted or rolled back; empty otherwise. */
  readonly reason: string;
  readonly approvals: readonly Approval[];
  /** What keeps it from going on, as the world outside said last: a freeze, a closed window. */
  readonly blocked?: Block;
  /**
   * How far the hosts had come when its rules became the key's own. From then on hosts acknowledge what becomes of the
   * key, not the rollout.
   */
  readonly reached?: HostTally;
}

export interface Block {
  readonly reason: string;
  /** When known. */
  readonly until?: Date;
}

export interface Pause {
  readonly cause: PauseCause;
  readonly reason: string;
  /** The phase to go back to. */
  readonly from: 'planned' | 'running' | 'baking' | 'gating';
  /** What was left of the bake. */
  readonly bakeLeftMs: number;
}

export type PauseCause =
  | 'operator'
  /** A step with a hold is done. */
  | 'hold'
  | 'killed'
  | 'unavailable'
  | 'missing-acks'
  | 'gate-inconclusive'
  | 'gate-no-data'
  | 'gate-error'
  /** A failure, when the spec says that one pauses. */
  | 'failure';

export interface Approval {
  readonly actor: string;
  readonly time: Date;
}

export interface ApprovalPolicy {
  readonly required: number;
  /** Empty: every principal. */
  readonly approvers: readonly string[];
  /** Absent: approvals do not expire. */
  readonly validMs?: number;
}

export interface GateProgress {
  readonly verdict: 'open' | 'passed' | 'failed';
  readonly succeeded: number;
  readonly failed: number;
  readonly inconclusive: number;
  readonly ignored: number;
  /** Without data or with an error, in a row, up to now. */
  readonly missing: number;
  /** When it is to be measured next. */
  readonly nextAt: Date;
  readonly last?: Measurement;
}

export const OUTCOMES = ['success', 'failure', 'inconclusive', 'no-data', 'error'] as const;

export interface Measurement {
  readonly outcome: (typeof OUTCOMES)[number];
  readonly time: Date;
  /** Of several, the worst. */
  readonly value?: number;
  /** Of a comparison. */
  readonly pValue?: number;
  /** One line for people. */
  readonly detail: string;
}

/** What was decided, by whom, and why. */
export interface Transition {
  /** 1, 2, ... within the rollout. */
  readonly sequence: number;
  readonly time: Date;
  /** Absent for the first. */
  readonly from?: Phase;
  readonly to: Phase;
  readonly step: number;
  /** The authenticated principal, or "skein". */
  readonly actor: string;
  /** The event in one word: "start", "gate", "abort". */
  readonly event: string;
  readonly reason: string;
}

/**
 * Observed: how far the hosts concerned have come. Those are the hosts that bind the key, match the selector, and
 * are live or were heard since the rollout began.
 */
export interface HostTally {
  readonly eligible: number;
  /** That the step is to reach. */
  readonly goal: number;
  /** That the rules in force take in. */
  readonly taken: number;
  /** Of those taken; of all eligible ones once the rules are gone. */
  readonly applied: number;
  readonly pending: number;
  readonly failed: number;
  /** Silent, though heard since the rollout began. */
  readonly unavailable: number;
  /** The first few, by name. */
  readonly failedHosts: readonly string[];
  readonly pendingHosts: readonly string[];
  readonly unavailableHosts: readonly string[];
}

/** Phases that end a rollout: no rule of it is in force, and its key is free. */
export function isOver({ phase, width, rollingBack }: RolloutState): boolean {
  if (phase === 'rolled-back' || phase === 'completed') return true;
  return phase === 'aborted' && width === 0 && !rollingBack;
}

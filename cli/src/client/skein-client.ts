import type { Assembly } from '#common/assembly.ts';
import type { Control } from '#common/control/control.ts';
import type { DesiredState } from '#common/desired.ts';
import type { HostReport, KeyObservation, ProgramReport } from '#common/observed.ts';
import type { Transition } from '#common/rollout/rollout.ts';
import type { SiteReport, SitesQuery } from '#common/site.ts';
import type { ControlCalls } from './control-calls.ts';
import type { RolloutCalls } from './rollout-calls.ts';

/** The controller as the commands see it. Every method throws SkeinError and nothing else. */
export interface SkeinClient {
  readonly rollouts: RolloutCalls;
  readonly control: ControlCalls;
  createKey(request: CreateKey): Promise<KeyView>;
  getKey(name: string): Promise<KeyView>;
  listKeys(options: ListKeys): Promise<readonly KeyView[]>;
  setKey(request: SetKey): Promise<KeyView>;
  /** Makes the key exactly as declared. */
  applyKey(request: ApplyKey): Promise<KeyView>;
  killKey(request: KillKey): Promise<KeyView>;
  reviveKey(request: Mutation): Promise<KeyView>;
  deleteKey(request: DeleteKey): Promise<KeyView>;
  /** Newest first. */
  keyHistory(name: string): Promise<readonly DesiredState[]>;
  /** The current state of each key, then each change, until `signal` aborts. An empty name watches all keys. */
  watchKeys(name: string, signal: AbortSignal): AsyncIterable<KeyView>;
  listHosts(selector: string): Promise<readonly HostView[]>;
  getHost(name: string): Promise<HostView>;
  /** Read back by the host's agent, now; an absent field lets any pass. */
  listSites(host: string, query: Omit<SitesQuery, 'offset'>): Promise<readonly SiteReport[]>;
  /** As its object has it, with what the host's agent reads back of its sites now. */
  dumpProgram(host: string, unit: string, program: string): Promise<Assembly>;
  watchHosts(selector: string, signal: AbortSignal): AsyncIterable<HostView>;
  /** Newest first; a limit of 0 is the controller's own, 100. */
  listAudit(query: AuditQuery): Promise<readonly AuditEntry[]>;
  /** What the fleet was told at a time in the past; an empty key is all of them. */
  stateAt(time: Date, key: string): Promise<PastState>;
  close(): void;
}

interface ListKeys {
  readonly includeDeleted: boolean;
  /** Leaves `hosts` empty, of which a large fleet has many. Default: false. */
  readonly withoutProgress?: boolean;
}

export interface KeyView {
  readonly desired: DesiredState;
  /** Opaque. */
  readonly etag: string;
  /** The hosts that bind the key. */
  readonly hosts: readonly HostProgress[];
}

export interface HostProgress {
  readonly host: string;
  readonly phase: 'pending' | 'applied' | 'failed' | 'lost';
  /** What the rules say for this host. */
  readonly desiredValue: boolean;
  /** The last one, perhaps of an older generation. */
  readonly observation?: KeyObservation;
}

export interface HostView {
  readonly report: HostReport;
  readonly state: 'synced' | 'pending' | 'degraded' | 'lost';
  /** Absent: not heard since the controller started, which knows it from its stored record. */
  readonly lastSeen?: Date;
}

export interface ProgramView extends ProgramReport {
  readonly host: string;
}

/** What was changed, newest state in `after`. */
export type AuditEntry =
  | {
      readonly kind: 'key';
      /** Absent on create. */
      readonly before?: DesiredState;
      readonly after: DesiredState;
    }
  | {
      readonly kind: 'rollout';
      readonly rollout: string;
      readonly key: string;
      readonly transition: Transition;
    }
  | { readonly kind: 'control'; readonly before?: Control; readonly after: Control };

export interface PastState {
  /** The generation in force then, by name. */
  readonly keys: readonly DesiredState[];
  readonly control: Control;
}

export interface Mutation {
  readonly name: string;
  readonly reason: string;
  /** Check everything, write nothing. */
  readonly validateOnly: boolean;
}

interface CreateKey extends Mutation {
  readonly description: string;
  readonly defaultValue: boolean;
}

export interface SetKey extends Mutation {
  readonly value: boolean;
  /** Empty: the default is set and every rule goes. */
  readonly selector: string;
  /** 0..100; absent: every matching host. */
  readonly percent?: number;
  /** Empty: whatever is current. */
  readonly etag: string;
  /** After so long the key goes back to what it was; absent: it stays. */
  readonly ttlMs?: number;
}

export interface DeclaredRule {
  /** Normalised; empty takes every host in. */
  readonly selector: string;
  readonly value: boolean;
  /** 0..100; absent: every matching host. */
  readonly percent?: number;
}

interface ApplyKey extends Mutation {
  readonly description: string;
  readonly defaultValue: boolean;
  readonly rules: readonly DeclaredRule[];
  readonly etag: string;
}

interface KillKey extends Mutation {
  readonly value: boolean;
}

interface DeleteKey extends Mutation {
  readonly etag: string;
}

interface AuditQuery {
  /** Empty: all keys. */
  readonly key: string;
  readonly since?: Date;
  readonly limit: number;
}

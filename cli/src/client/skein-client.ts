import type { Change, DesiredState } from '#common/desired.ts';
import type { HostReport, KeyObservation, ProgramReport } from '#common/observed.ts';
import type { SiteReport, SitesQuery } from '#common/site.ts';

/** The controller as the commands see it. Every method throws SkeinError and nothing else. */
export interface SkeinClient {
  createKey(request: CreateKey): Promise<KeyView>;
  getKey(name: string): Promise<KeyView>;
  listKeys(options: { readonly includeDeleted: boolean }): Promise<readonly KeyView[]>;
  setKey(request: SetKey): Promise<KeyView>;
  deleteKey(request: DeleteKey): Promise<KeyView>;
  /** Newest first. */
  keyHistory(name: string): Promise<readonly DesiredState[]>;
  /** The current state of each key, then each change, until `signal` aborts. An empty name watches all keys. */
  watchKeys(name: string, signal: AbortSignal): AsyncIterable<KeyView>;
  listHosts(selector: string): Promise<readonly HostView[]>;
  getHost(name: string): Promise<HostView>;
  /** Read back by the host's agent, now; an absent field lets any pass. */
  listSites(host: string, query: Omit<SitesQuery, 'offset'>): Promise<readonly SiteReport[]>;
  watchHosts(selector: string, signal: AbortSignal): AsyncIterable<HostView>;
  /** Newest first; a limit of 0 is the controller's own, 100. */
  listAudit(query: AuditQuery): Promise<readonly AuditEntry[]>;
  close(): void;
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

export interface AuditEntry {
  readonly key: string;
  readonly change: Change;
  /** Absent on create. */
  readonly before?: DesiredState;
  readonly after: DesiredState;
}

interface Mutation {
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

import type { AuditRecord } from './audit-record.ts';
import type { FleetState } from './state-at.ts';

/** The audit log: append-only, ordered by when records came in. */
export interface AuditLog {
  /** Stores the record once, however often it is appended within the log's memory of ids. */
  append(record: AuditRecord): Promise<void>;
  /** Newest first. */
  list(query: AuditQuery): Promise<AuditRecord[]>;
  /** What the fleet, or one key, was told at `time`. Reads the whole log, or all of that key. */
  stateAt(time: Date, key?: string): Promise<FleetState>;
  /** Ids of all records stored at or after `since`. */
  idsSince(since: Date): Promise<ReadonlySet<string>>;
}

export interface AuditQuery {
  readonly key?: string;
  readonly since?: Date;
  /** 1..1000. */
  readonly limit: number;
}

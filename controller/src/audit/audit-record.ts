import type { DesiredState } from '#common/desired.ts';

/** Who changed what, from what to what. */
export interface AuditRecord {
  /** Absent on create. */
  readonly old?: DesiredState;
  readonly new: DesiredState;
}

/** The audit log: append-only, ordered by when records came in. */
export interface AuditLog {
  /** Stores the record once, however often it is appended within the log's memory of ids. */
  append(record: AuditRecord): Promise<void>;
  /** Newest first. */
  list(query: AuditQuery): Promise<AuditRecord[]>;
  /** Ids of all records stored at or after `since`. */
  idsSince(since: Date): Promise<ReadonlySet<string>>;
}

export interface AuditQuery {
  readonly key?: string;
  readonly since?: Date;
  /** 1..1000. */
  readonly limit: number;
}

/** The same mutation gives the same record, whether written at once or by a later reconciliation. */
export function auditRecord(previous: DesiredState | undefined, next: DesiredState): AuditRecord {
  const isFirst = next.change.action === 'create' || previous === undefined;
  return { ...(isFirst ? {} : { old: previous }), new: next };
}

export function auditId(state: DesiredState): string {
  return `${state.name}:${state.generation}`;
}

/** Records of those generations whose ids are not in the log, oldest first per key. */
export function missingRecords(
  histories: Iterable<readonly DesiredState[]>,
  audited: ReadonlySet<string>,
): AuditRecord[] {
  const missing: AuditRecord[] = [];
  for (const history of histories) {
    for (const [index, state] of history.entries()) {
      if (!audited.has(auditId(state))) missing.push(auditRecord(history[index - 1], state));
    }
  }
  return missing;
}

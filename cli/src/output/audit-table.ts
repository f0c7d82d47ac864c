import type { AuditEntry } from '../client/skein-client.ts';
import { describeChange } from './rules.ts';
import type { Cell, Paint } from './style.ts';
import { renderTable } from './table.ts';

export function auditTable(entries: readonly AuditEntry[], paint: Paint): string {
  const rows = entries.map(({ key, change, before, after }): Cell[] => [
    change.time.toISOString().replace(/\.\d+Z$/, 'Z'),
    key,
    change.action,
    change.actor,
    String(after.generation),
    describeChange(before, after),
    change.reason,
  ]);
  return renderTable(['TIME', 'KEY', 'ACTION', 'WHO', 'GEN', 'CHANGE', 'REASON'], rows, paint);
}

import type { AuditEntry } from '../client/skein-client.ts';
import { formatTime } from './quantities.ts';
import { describeTransition } from './rollout-words.ts';
import { describeChange } from './rules.ts';
import type { Cell, Paint } from './style.ts';
import { renderTable } from './table.ts';

export function auditTable(entries: readonly AuditEntry[], paint: Paint): string {
  const headers = ['TIME', 'KEY', 'ACTION', 'WHO', 'GEN', 'CHANGE', 'REASON'];
  return renderTable(headers, entries.map(auditRow), paint);
}

function auditRow(entry: AuditEntry): Cell[] {
  switch (entry.kind) {
    case 'key': {
      const { before, after } = entry;
      const { time, action, actor, reason } = after.change;
      const change = describeChange(before, after);
      return [
        formatTime(time),
        after.name,
        action,
        actor,
        String(after.generation),
        change,
        reason,
      ];
    }
    case 'rollout': {
      const { transition, key, rollout } = entry;
      const { time, event, actor, reason } = transition;
      const change = `rollout ${rollout}: ${describeTransition(transition)}`;
      return [formatTime(time), key, event, actor, '-', change, reason];
    }
    case 'control': {
      const { note, generation } = entry.after;
      const time = note ? formatTime(note.time) : '-';
      // A word for all of the fleet: no key is called so.
      return [
        time,
        '*',
        'control',
        note?.actor ?? '',
        String(generation),
        note?.what ?? '',
        note?.reason ?? '',
      ];
    }
  }
}

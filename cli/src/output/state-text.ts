import type { PastState } from '../client/skein-client.ts';
import { controlDetails } from './control-text.ts';
import { switchCell } from './key-tables.ts';
import { formatAge } from './quantities.ts';
import { summariseRules } from './rules.ts';
import type { Cell, Paint } from './style.ts';
import { renderTable } from './table.ts';

/** What the fleet was told at `at`; ages are those of then. */
export function pastText({ keys, control }: PastState, at: Date, paint: Paint): string {
  const rows = keys.map((state): Cell[] => [
    state.name,
    state.deleted ? 'deleted' : switchCell(state.defaultValue),
    summariseRules(state),
    String(state.generation),
    formatAge(state.change.time, at),
    state.change.actor,
    state.change.reason,
  ]);
  const headers = ['KEY', 'DEFAULT', 'RULES', 'GEN', 'AGE', 'WHO', 'REASON'];
  return `${controlDetails(control, at, paint)}\n${renderTable(headers, rows, paint)}`;
}

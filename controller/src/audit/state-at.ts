import { type Control, freezeAt } from '#common/control/control.ts';
import type { DesiredState } from '#common/desired.ts';
import { type AuditRecord, auditTime } from './audit-record.ts';

/** What the fleet was told at some time. */
export interface FleetState {
  /** Keys that were there, by name. */
  readonly keys: readonly DesiredState[];
  /** Absent before the first change of it. */
  readonly control?: Control;
}

/**
 * Finds the state at `time` among audit records in any order: those that a reconciliation wrote come late. Of what
 * had been made by then, the highest generation was in force; generations order changes where clocks may not.
 */
export class StateAt {
  readonly #time: Date;
  readonly #keys = new Map<string, DesiredState>();
  #control: Control | undefined;

  constructor(time: Date) {
    this.#time = time;
  }

  take(record: AuditRecord): void {
    if (record.kind === 'rollout' || auditTime(record) > this.#time) return;
    if (record.kind === 'control') {
      this.#control = newer(this.#control, record.new);
      return;
    }
    const { name } = record.new;
    this.#keys.set(name, newer(this.#keys.get(name), record.new));
  }

  result(): FleetState {
    const keys = [...this.#keys.values()].filter(({ deleted }) => !deleted);
    keys.sort((a, b) => (a.name < b.name ? -1 : 1));
    if (!this.#control) return { keys };
    const { freeze: _, ...rest } = this.#control;
    const freeze = freezeAt(this.#control, this.#time);
    return { keys, control: { ...rest, ...(freeze ? { freeze } : {}) } };
  }
}

function newer<T extends { readonly generation: bigint }>(known: T | undefined, other: T): T {
  return known && known.generation > other.generation ? known : other;
}

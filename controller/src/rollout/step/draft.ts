import type { Phase, RolloutRecord, RolloutState, Transition } from '#common/rollout/rollout.ts';
import type { RolloutSpec } from '#common/rollout/spec.ts';
import type { RolloutEffect } from './event.ts';

/** Who decided, by which event, and why: what a transition says. */
export interface Cause {
  readonly actor: string;
  /** One word. */
  readonly event: string;
  readonly reason: string;
}

/** Older transitions are in the audit stream. */
const MAX_TRANSITIONS = 100;

/** Decisions that nobody in particular took. */
export function bySkein(event: string, reason: string): Cause {
  return { actor: 'skein', event, reason };
}

/** A record while one event changes it, and what is to be done outside because of it. */
export class Draft {
  readonly now: Date;
  #record: RolloutRecord;
  readonly #work: RolloutEffect[] = [];
  readonly #tell: RolloutEffect[] = [];

  constructor(record: RolloutRecord, now: Date) {
    this.#record = record;
    this.now = now;
  }

  /** The very record that was given, as long as nothing has changed. */
  get record(): RolloutRecord {
    return this.#record;
  }

  get spec(): RolloutSpec {
    return this.#record.spec;
  }

  get state(): RolloutState {
    return this.#record.state;
  }

  /** Work first, then what is told of it. */
  get effects(): readonly RolloutEffect[] {
    return [...this.#work, ...this.#tell];
  }

  /** A change that is no decision. */
  set(state: RolloutState): void {
    this.#record = { ...this.#record, state };
  }

  /** What belongs to the phase that is left (the end of a bake, a pause) goes, unless `change` says otherwise. */
  move(phase: Phase, cause: Cause, change: Partial<RolloutState> = {}): void {
    const { bakeUntil, pause, ...kept } = this.state;
    const from = this.#record.transitions.length > 0 ? this.state.phase : undefined;
    this.set({ ...kept, phase, since: this.now, ...change });
    this.#note(from, cause);
  }

  do(effect: RolloutEffect): void {
    this.#work.push(effect);
  }

  tell(transition: Transition): void {
    this.#tell.push({ kind: 'tell', transition });
  }

  #note(from: Phase | undefined, { actor, event, reason }: Cause): void {
    const { transitions } = this.#record;
    const { phase: to, step } = this.state;
    const transition: Transition = {
      sequence: (transitions.at(-1)?.sequence ?? 0) + 1,
      time: this.now,
      ...(from ? { from } : {}),
      to,
      step,
      actor,
      event,
      reason,
    };
    const all = [...transitions, transition].slice(-MAX_TRANSITIONS);
    this.#record = { ...this.#record, transitions: all };
    this.tell(transition);
  }
}

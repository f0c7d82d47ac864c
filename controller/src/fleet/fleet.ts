import type { Clock } from '#common/clock.ts';
import type { HostReport, KeyObservation } from '#common/observed.ts';
import { type HostEvent, isLive, type KnownHost, stepHost } from './host.ts';

/** What the fleet view makes happen outside. */
export interface FleetEffects {
  requestStatus(host: string): void;
  saveReport(report: HostReport): void;
  /**
   * An outcome that was not known before.
   *
   * @param isPropagation the generation is new to a host that was live, so its age is how long it took to get there
   */
  acked(observation: KeyObservation, isPropagation: boolean, host: string): void;
}

/** A host is asked for its status at most this often. */
const ASK_INTERVAL_MS = 2_000;
const SWEEP_MS = 1_000;

/** All hosts ever heard of. Holds what stepHost() computes, and the timers. */
export class Fleet {
  readonly #hosts = new Map<string, KnownHost>();
  readonly #live = new Set<string>();
  readonly #askedAt = new Map<string, number>();
  readonly #listeners = new Set<(host: KnownHost) => void>();
  readonly #clock: Clock;
  readonly #effects: FleetEffects;
  #cancelSweep: () => void;

  constructor(clock: Clock, effects: FleetEffects) {
    this.#clock = clock;
    this.#effects = effects;
    this.#cancelSweep = clock.after(SWEEP_MS, () => this.#sweep());
  }

  hosts(): KnownHost[] {
    return [...this.#hosts.values()];
  }

  get(name: string): KnownHost | undefined {
    return this.#hosts.get(name);
  }

  /** Calls back for each host whose report or liveness changes; the result ends that. */
  onChange(listener: (host: KnownHost) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  apply(event: HostEvent): void {
    const now = this.#clock.now();
    const name = 'report' in event ? event.report.host : event.host;
    const before = this.#hosts.get(name);
    const { host, askStatus, changed } = stepHost(before, event, now);
    if (askStatus) this.#ask(name, now);
    if (!host) return;
    this.#hosts.set(name, host);
    if (changed) this.#effects.saveReport(host.report);
    if (event.kind === 'ack' && changed) this.#tellAck(name, before, event.observation, now);
    const becameLive = isLive(host, now) && !this.#live.has(name);
    if (becameLive) this.#live.add(name);
    if (changed || becameLive || event.kind === 'stored') this.#notify(host);
  }

  stop(): void {
    this.#cancelSweep();
  }

  #tellAck(
    name: string,
    before: KnownHost | undefined,
    observation: KeyObservation,
    now: Date,
  ): void {
    const known = before?.observations.get(observation.key);
    const isNew = known?.generation !== observation.generation;
    if (!isNew && known.outcome === observation.outcome) return;
    const isPropagation = isNew && before !== undefined && isLive(before, now);
    this.#effects.acked(observation, isPropagation, name);
  }

  #ask(name: string, now: Date): void {
    const asked = this.#askedAt.get(name) ?? Number.NEGATIVE_INFINITY;
    if (now.getTime() - asked < ASK_INTERVAL_MS) return;
    this.#askedAt.set(name, now.getTime());
    this.#effects.requestStatus(name);
  }

  /** Silence makes no event of its own. */
  #sweep(): void {
    const now = this.#clock.now();
    for (const name of this.#live) {
      const host = this.#hosts.get(name);
      if (!host || isLive(host, now)) continue;
      this.#live.delete(name);
      this.#notify(host);
    }
    for (const [name, asked] of this.#askedAt) {
      if (now.getTime() - asked >= ASK_INTERVAL_MS) this.#askedAt.delete(name);
    }
    this.#cancelSweep = this.#clock.after(SWEEP_MS, () => this.#sweep());
  }

  #notify(host: KnownHost): void {
    for (const listener of this.#listeners) listener(host);
  }
}

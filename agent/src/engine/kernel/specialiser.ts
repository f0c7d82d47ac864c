import type { Clock } from '#common/clock.ts';
import { type SkeinError, toSkeinError } from '#common/errors.ts';
import type { BuildRequest } from './variant-builder.ts';
import type { LoadStatistics } from './verifier-log.ts';

/** A variant to be made, and what to do with it. */
export interface SpecialiserJob {
  readonly unit: string;
  readonly request: BuildRequest;
  /** False once the variant is there: a job for the same vector may have been under way when this one was asked for. */
  isNeeded(): boolean;
  built(load: LoadStatistics, durationNs: bigint): Promise<void>;
  failed(error: SkeinError, durationNs: bigint): void;
}

/**
 * Works through jobs one at a time: what a program runs now before what it may run next. Jobs for one program
 * replace each other, for only its latest vector matters.
 */
export class Specialiser {
  readonly #build: (request: BuildRequest) => Promise<LoadStatistics>;
  readonly #clock: Clock;
  readonly #urgent = new Map<string, SpecialiserJob>();
  readonly #prewarm = new Map<string, readonly SpecialiserJob[]>();
  /** Units that nothing may be asked for now, once for each that bars them. */
  readonly #barred: string[] = [];
  /** The unit being worked for, and the end of that work. */
  #running: { readonly unit: string; readonly done: Promise<void> } | undefined;
  #closed = false;

  constructor(build: (request: BuildRequest) => Promise<LoadStatistics>, clock: Clock) {
    this.#build = build;
    this.#clock = clock;
  }

  /** Replaces what was asked for this program before. */
  want(
    unit: string,
    program: string,
    urgent: SpecialiserJob | undefined,
    prewarm: readonly SpecialiserJob[],
  ): void {
    if (this.#barred.includes(unit)) return;
    const name = `${unit}/${program}`;
    this.#urgent.delete(name);
    if (urgent) this.#urgent.set(name, urgent);
    this.#prewarm.set(name, prewarm);
    this.#next();
  }

  /**
   * Does what must not meet a job of the unit: drops what is asked for, waits for what is under way, and takes
   * nothing more for the unit until `work` is done.
   */
  async without<T>(unit: string, work: () => Promise<T>): Promise<T> {
    this.#barred.push(unit);
    try {
      for (const queue of [this.#urgent, this.#prewarm]) {
        for (const name of queue.keys()) if (name.startsWith(`${unit}/`)) queue.delete(name);
      }
      while (this.#running?.unit === unit) await this.#running.done;
      return await work();
    } finally {
      this.#barred.splice(this.#barred.indexOf(unit), 1);
    }
  }

  /** Drops everything, and waits for what is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#urgent.clear();
    this.#prewarm.clear();
    await this.#running?.done;
  }

  #next(): void {
    if (this.#running || this.#closed) return;
    const job = this.#take();
    if (job === undefined) return;
    const done = this.#run(job).finally(() => {
      this.#running = undefined;
      this.#next();
    });
    this.#running = { unit: job.unit, done };
  }

  #take(): SpecialiserJob | undefined {
    for (const [name, job] of this.#urgent) {
      this.#urgent.delete(name);
      if (job.isNeeded()) return job;
    }
    for (const [name, jobs] of this.#prewarm) {
      const [job, ...rest] = jobs.filter((each) => each.isNeeded());
      this.#prewarm.set(name, rest);
      if (job) return job;
      this.#prewarm.delete(name);
    }
    return undefined;
  }

  async #run(job: SpecialiserJob): Promise<void> {
    const startedNs = this.#clock.monotonicNs();
    try {
      const load = await this.#build(job.request);
      await job.built(load, this.#clock.monotonicNs() - startedNs);
    } catch (thrown) {
      job.failed(toSkeinError(thrown), this.#clock.monotonicNs() - startedNs);
    }
  }
}

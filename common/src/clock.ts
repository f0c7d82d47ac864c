/** Time, injected everywhere so that no test sleeps. */
export interface Clock {
  now(): Date;
  /** Monotonic nanoseconds, for durations. */
  monotonicNs(): bigint;
  /** Calls back once, after `ms`; the result cancels it. */
  after(ms: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => new Date(),
  monotonicNs: () => process.hrtime.bigint(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

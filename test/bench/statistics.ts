/** Quantiles of durations in nanoseconds. Machines are noisy: a benchmark reports medians and spread, never means. */
export interface Quantiles {
  readonly p50: number;
  readonly p99: number;
  readonly samples: number;
}

/** @throws RangeError without samples */
export function quantiles(samples: readonly number[]): Quantiles {
  const sorted = ascending(samples);
  return { p50: at(sorted, 0.5), p99: at(sorted, 0.99), samples: sorted.length };
}

/** The middle half of a sample. */
export interface Quartiles {
  readonly p25: number;
  readonly p50: number;
  readonly p75: number;
}

/** @throws RangeError without samples */
export function quartiles(samples: readonly number[]): Quartiles {
  const sorted = ascending(samples);
  return { p25: at(sorted, 0.25), p50: at(sorted, 0.5), p75: at(sorted, 0.75) };
}

/** @throws RangeError without samples */
export const median = (samples: readonly number[]): number => at(ascending(samples), 0.5);

const ascending = (samples: readonly number[]) => [...samples].sort((a, b) => a - b);

function at(sorted: readonly number[], quantile: number): number {
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * quantile))];
  if (value === undefined) throw new RangeError('no samples');
  return value;
}

export function formatNs(ns: number): string {
  if (ns < 1e3) return `${ns.toFixed(0)} ns`;
  return ns < 1e6 ? `${(ns / 1e3).toFixed(1)} µs` : `${(ns / 1e6).toFixed(2)} ms`;
}

/** Three significant digits: a measurement is no better than that. */
export const rounded = (value: number): number => Number(value.toPrecision(3));

export const ratio = (a: number, b: number): number => rounded(a / b);

import type { Reduction } from '#common/rollout/spec.ts';

/** One value for a series of values in the order of time. NaN is no value; NaN when there is none. */
export function reduce(values: readonly number[], reduction: Reduction): number {
  const found = values.filter((value) => !Number.isNaN(value));
  return found.length === 0 ? Number.NaN : REDUCTIONS[reduction](found);
}

export function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Of at least one value. Not Math.max(...values): a series may have more values than a call takes arguments. */
const REDUCTIONS: Readonly<Record<Reduction, (values: readonly number[]) => number>> = {
  average,
  minimum: (values) => values.reduce((a, b) => Math.min(a, b)),
  maximum: (values) => values.reduce((a, b) => Math.max(a, b)),
  last: (values) => values.at(-1) ?? Number.NaN,
};

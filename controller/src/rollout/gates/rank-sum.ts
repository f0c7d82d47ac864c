import { normalTail } from './normal-tail.ts';

/**
 * The sum of the ranks of a sample, under the hypothesis that chance alone chose which ranks are in it. Ranks are
 * doubled, so that those of equal values, which share the average, are whole numbers too.
 * Source: E. L. Lehmann, "Nonparametrics: Statistical Methods Based on Ranks", chapter 1.
 */
export interface RankSum {
  /** Of both samples. */
  readonly ranks: readonly number[];
  /** How many of them the sample has. */
  readonly size: number;
  readonly sum: number;
}

/** Of `sample` among itself and `others`; neither has a NaN. */
export function rankSum(sample: readonly number[], others: readonly number[]): RankSum {
  const all = [...sample, ...others];
  const sorted = all.toSorted((a, b) => (a < b ? -1 : Number(a > b)));
  const places = new Map<number, { first: number; last: number }>();
  for (const [index, value] of sorted.entries()) {
    const place = places.get(value);
    if (place) place.last = index;
    else places.set(value, { first: index, last: index });
  }
  const ranks = all.map((value) => {
    const { first, last } = places.get(value) ?? { first: 0, last: 0 };
    return first + 1 + (last + 1);
  });
  return { ranks, size: sample.length, sum: sumOf(ranks.slice(0, sample.length)) };
}

/**
 * How likely a sum at least as high is, by counting every choice of ranks. Takes time and memory that grow with the
 * square of (smaller sample × ranks).
 */
export function exactTail({ ranks, size, sum }: RankSum): number {
  const rest = ranks.length - size;
  if (rest < size) {
    // What is not chosen is a choice too, of fewer ranks; turned round, its low sums are high ones.
    const turn = 2 * (ranks.length + 1);
    const turned = ranks.map((rank) => turn - rank);
    return exactTail({ ranks: turned, size: rest, sum: rest * turn - (sumOf(ranks) - sum) });
  }
  const highest = sumOf(ranks.toSorted((a, b) => b - a).slice(0, size));
  // ways[k * width + s]: how many choices of k ranks have the sum s.
  const width = highest + 1;
  const ways = new Float64Array((size + 1) * width);
  ways[0] = 1;
  for (const rank of ranks) {
    for (let k = size; k >= 1; k--) {
      for (let s = highest; s >= rank; s--) {
        const place = k * width + s;
        ways[place] = (ways[place] ?? 0) + (ways[place - width - rank] ?? 0);
      }
    }
  }
  const chosen = ways.subarray(size * width);
  return sumOf(chosen.subarray(sum)) / sumOf(chosen);
}

/** The same by the normal approximation, with the corrections for ties and continuity. */
export function approximateTail({ ranks, size, sum }: RankSum): number {
  const total = ranks.length;
  const mean = sumOf(ranks) / total;
  const spread = ranks.reduce((squares, rank) => squares + (rank - mean) ** 2, 0);
  const deviation = Math.sqrt((size * (total - size) * spread) / (total * (total - 1)));
  // With doubled ranks half a step is 1.
  return deviation === 0 ? 1 : normalTail((sum - 1 - size * mean) / deviation);
}

function sumOf(values: readonly number[] | Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

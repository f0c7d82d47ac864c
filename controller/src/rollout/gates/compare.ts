import type { SampleHosts } from '#common/rollout/spec.ts';
import type { Finding, Sample } from './evaluate.ts';
import { leastP, mannWhitney } from './mann-whitney.ts';
import { average } from './reduce.ts';
import { numberText } from './text.ts';

/** The hosts that a rollout has changed, and those of the hosts concerned that it has not. */
export interface HostGroups {
  readonly changed: ReadonlySet<string>;
  readonly control: ReadonlySet<string>;
}

type Comparison = Extract<SampleHosts, { kind: 'compare' }>;

/**
 * Changed hosts against unchanged ones: failure when the changed ones are worse with p < alpha; inconclusive when
 * there are too few hosts for such a p-value, whatever they do; no data when one side has none. A host counts once: of
 * several series, their average.
 */
export function compareHosts(
  samples: readonly Sample[],
  { label, alpha, worse }: Comparison,
  { changed, control }: HostGroups,
): Finding {
  const ours = valuesOf(samples, label, changed);
  const theirs = valuesOf(samples, label, control);
  const sizes = `${ours.length} changed and ${theirs.length} unchanged hosts`;
  if (ours.length === 0 || theirs.length === 0) {
    const detail = `nothing to compare: values of ${sizes} by label ${JSON.stringify(label)}`;
    return { outcome: 'no-data', detail };
  }
  // Turned round, lower is higher.
  const sign = worse === 'higher' ? 1 : -1;
  const signed = (values: readonly number[]) => values.map((value) => sign * value);
  const pValue = mannWhitney(signed(ours), signed(theirs));
  const value = median(ours);
  const least = leastP(ours.length, theirs.length);
  if (least >= alpha) {
    const detail = `${sizes} are too few: p cannot be below ${numberText(least)}, alpha is ${alpha}`;
    return { outcome: 'inconclusive', value, pValue, detail };
  }
  const isWorse = pValue < alpha;
  const medians = `median ${numberText(value)} against ${numberText(median(theirs))}`;
  return {
    outcome: isWorse ? 'failure' : 'success',
    value,
    pValue,
    detail: `changed hosts are ${isWorse ? '' : 'not '}${worse}: p = ${numberText(pValue)}, alpha is ${alpha} (${medians}; ${sizes})`,
  };
}

/** One value for each host that has any. */
function valuesOf(samples: readonly Sample[], label: string, hosts: ReadonlySet<string>): number[] {
  const found = new Map<string, number[]>();
  for (const { labels, value } of samples) {
    const host = labels[label];
    if (host === undefined || !hosts.has(host) || Number.isNaN(value)) continue;
    const values = found.get(host);
    if (values) values.push(value);
    else found.set(host, [value]);
  }
  // The average of opposite infinities is none.
  return [...found.values()].map(average).filter((value) => !Number.isNaN(value));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => (a < b ? -1 : Number(a > b)));
  const middle = sorted.slice((sorted.length - 1) >> 1, (sorted.length >> 1) + 1);
  return average(middle);
}

import { SkeinError } from '#common/errors.ts';
import type { Measurement } from '#common/rollout/rollout.ts';
import { type Condition, holds, opposite, parseCondition } from './condition.ts';
import { labelsText, numberText } from './text.ts';

/** One value of what was measured. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  /** NaN: no data. */
  readonly value: number;
}

/** A measurement before it has a time. */
export type Finding = Omit<Measurement, 'time'>;

/** Of a gate, as they are written; at least one of the two. */
export interface Conditions {
  readonly success?: string;
  readonly failure?: string;
}

/**
 * What samples mean for a gate: success when every one meets the condition for success, else failure when any meets
 * the one for failure, else inconclusive. Of two conditions the one that is not given is the opposite of the other.
 *
 * @throws SkeinError SKEIN_BAD_ROLLOUT for no condition, and for one that parseCondition() refuses
 */
export function evaluateSamples(samples: readonly Sample[], conditions: Conditions): Finding {
  const written = {
    success: parsed(conditions.success),
    failure: parsed(conditions.failure),
  };
  const { success, failure } = bothOf(written);
  const found = samples.filter(({ value }) => !Number.isNaN(value));
  if (found.length === 0) return { outcome: 'no-data', detail: whyNone(samples) };
  if (found.every(({ value }) => holds(success, value))) {
    const worst = worstOf(found, success);
    const said = [verdict(written.success ?? failure, worst.value)];
    return { outcome: 'success', value: worst.value, detail: line(said, worst, found) };
  }
  if (found.some(({ value }) => holds(failure, value))) {
    const worst = worstOf(found, opposite(failure));
    const said = [verdict(written.failure ?? success, worst.value)];
    return { outcome: 'failure', value: worst.value, detail: line(said, worst, found) };
  }
  const worst = worstOf(found, success);
  const said = [verdict(success, worst.value), verdict(failure, worst.value)];
  return { outcome: 'inconclusive', value: worst.value, detail: line(said, worst, found) };
}

interface Written {
  readonly success: Condition | undefined;
  readonly failure: Condition | undefined;
}

function parsed(text: string | undefined): Condition | undefined {
  return text === undefined ? undefined : parseCondition(text);
}

function bothOf({ success, failure }: Written): { success: Condition; failure: Condition } {
  if (success) return { success, failure: failure ?? opposite(success) };
  if (failure) return { success: opposite(failure), failure };
  throw new SkeinError('SKEIN_BAD_ROLLOUT', 'a gate needs a condition for success or for failure');
}

/** Of at least one. */
function worstOf(samples: readonly Sample[], wanted: Condition): Sample {
  return samples.reduce((a, b) => (badness(wanted, b.value) > badness(wanted, a.value) ? b : a));
}

/** Grows with the distance from where the condition holds. */
function badness({ operator, threshold }: Condition, value: number): number {
  switch (operator) {
    case '<':
    case '<=':
      return value;
    case '>':
    case '>=':
      return -value;
    case '==':
      return Math.abs(value - threshold);
    case '!=':
      return -Math.abs(value - threshold);
  }
}

function verdict(condition: Condition, value: number): string {
  const isHeld = holds(condition, value);
  // Rounded, 0.0100000001 would read as if it were 0.01.
  const short = numberText(value);
  const text = holds(condition, Number(short)) === isHeld ? short : String(value);
  const { operator, threshold } = condition;
  return `${text} ${operator} ${threshold} ${isHeld ? 'holds' : 'does not hold'}`;
}

function line(said: readonly string[], worst: Sample, all: readonly Sample[]): string {
  const labels = labelsText(worst.labels);
  const rank = all.length > 1 ? `worst of ${all.length}` : '';
  const place = [labels, rank].filter((text) => text !== '').join(', ');
  return said.join(', ') + (place === '' ? '' : ` (${place})`);
}

function whyNone(samples: readonly Sample[]): string {
  if (samples.length === 0) return 'no series';
  return samples.length === 1 ? 'the only series is NaN' : `all ${samples.length} series are NaN`;
}

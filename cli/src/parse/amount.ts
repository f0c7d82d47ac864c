import { SkeinError } from '#common/errors.ts';
import type { Amount, Reach } from '#common/rollout/spec.ts';

/**
 * `10%` of the hosts concerned, or `3` of them.
 *
 * @throws SkeinError SKEIN_INVALID_ARGUMENT naming `place`
 */
export function parseAmount(text: string, place: string): Amount {
  const [, number = '', sign] = /^(\d+(?:\.\d+)?)(%?)$/.exec(text) ?? [];
  const value = number === '' ? Number.NaN : Number(number);
  if (sign === '%' && value <= 100) return { kind: 'percent', percent: value };
  if (sign === '' && Number.isSafeInteger(value)) return { kind: 'hosts', hosts: value };
  throw new SkeinError('SKEIN_INVALID_ARGUMENT', `${place}: "${text}" is not an amount of hosts`, {
    remedy: 'Write it as 10% or 3.',
  });
}

const COHORT = /^cohort:(.+)$/;

/**
 * How far a step goes: an amount, or `cohort:NAME`.
 *
 * @throws SkeinError SKEIN_INVALID_ARGUMENT naming `place`
 */
export function parseReach(text: string, place: string): Reach {
  const cohort = COHORT.exec(text)?.[1];
  if (cohort !== undefined) return { kind: 'cohort', cohort, selector: '' };
  const amount = parseAmount(text, place);
  if ((amount.kind === 'percent' ? amount.percent : amount.hosts) > 0) return amount;
  throw new SkeinError('SKEIN_INVALID_ARGUMENT', `${place}: a step of "${text}" takes in no host`, {
    remedy: 'Write it as 10%, 3 or cohort:canary.',
  });
}

/** `10%`, `3`: what {@link parseAmount} takes. */
export function formatAmount(amount: Amount): string {
  return amount.kind === 'percent' ? `${amount.percent}%` : String(amount.hosts);
}

/** `10%`, `3 hosts`, `cohort canary`: for people. */
export function formatReach(reach: Reach): string {
  if (reach.kind === 'cohort') return `cohort ${reach.cohort}`;
  if (reach.kind === 'percent') return `${reach.percent}%`;
  return `${reach.hosts} host${reach.hosts === 1 ? '' : 's'}`;
}

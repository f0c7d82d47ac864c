import type { Amount } from '#common/rollout/spec.ts';
import { badField } from '#common/rollout/spec-fields.ts';

/** What the wire carries: uint32. */
const LIMIT = 2 ** 32 - 1;

/** @throws SkeinError SKEIN_BAD_ROLLOUT naming the field */
export function checkWhole(field: string, value: number, least: number): void {
  if (Number.isInteger(value) && value >= least && value <= LIMIT) return;
  throw badField(field, `${value} is not a whole number within ${least}..${LIMIT}`);
}

/**
 * Milliseconds, up to 49 days.
 *
 * @throws SkeinError SKEIN_BAD_ROLLOUT naming the field
 */
export function checkDuration(field: string, ms: number, least: number): void {
  if (Number.isInteger(ms) && ms >= least && ms <= LIMIT) return;
  if (ms < 0) throw badField(field, `${ms} is negative`);
  throw badField(field, `${ms} is not a whole number of milliseconds within ${least}..${LIMIT}`);
}

/** @throws SkeinError SKEIN_BAD_ROLLOUT naming the field */
export function checkAmount(field: string, amount: Amount, least = 0): void {
  if (amount.kind === 'hosts') {
    checkWhole(`${field}.hosts`, amount.hosts, least);
    return;
  }
  const { percent } = amount;
  const isEnough = least > 0 ? percent > 0 : percent >= 0;
  if (isEnough && percent <= 100) return;
  throw badField(
    `${field}.percent`,
    `${percent} is not ${least > 0 ? 'above' : 'at least'} 0 and at most 100`,
  );
}

import { SkeinError } from '#common/errors.ts';
import { FLEET_KEY_NAME } from '#proto/subjects.ts';

export const ON_OFF = ['on', 'off'] as const;

export function onOff(value: boolean): (typeof ON_OFF)[number] {
  return value ? 'on' : 'off';
}

/** @returns 0..100 */
export function parsePercent(text: string, place: string): number {
  const percent = /^\d+(\.\d+)?%?$/.test(text) ? Number.parseFloat(text) : Number.NaN;
  if (!(percent >= 0 && percent <= 100)) {
    throw new SkeinError('SKEIN_INVALID_ARGUMENT', `${place}: "${text}" is not a percentage`, {
      remedy: 'Give a number from 0 to 100.',
    });
  }
  return percent;
}

/** @returns 1..1000, as AuditService allows */
export function parseLimit(text: string, place: string): number {
  const limit = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(limit >= 1 && limit <= 1000)) {
    throw new SkeinError(
      'SKEIN_INVALID_ARGUMENT',
      `${place}: "${text}" is not a number from 1 to 1000`,
    );
  }
  return limit;
}

/** @returns 0 or more */
export function parseCount(text: string, place: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new SkeinError('SKEIN_INVALID_ARGUMENT', `${place}: "${text}" is not a whole number`);
}

/** Refuses early, and by the shell's own argument, what the controller would refuse anyway. */
export function parseKeyName(text: string, place: string): string {
  if (!FLEET_KEY_NAME.test(text)) {
    throw new SkeinError('SKEIN_INVALID_ARGUMENT', `${place}: "${text}" is not a key name`, {
      remedy: 'Use 1 to 128 of a-z 0-9 _ - in parts joined by dots, such as net.drop_icmp.',
    });
  }
  return text;
}

/** Names of cohorts are made as names of keys are. */
export function parseCohortName(text: string, place: string): string {
  if (FLEET_KEY_NAME.test(text)) return text;
  throw new SkeinError('SKEIN_INVALID_ARGUMENT', `${place}: "${text}" is not a cohort name`, {
    remedy: 'Use 1 to 128 of a-z 0-9 _ - in parts joined by dots, such as canary.',
  });
}

import { SkeinError } from '#common/errors.ts';
import { DAYS, type Day, type Window } from '#common/rollout/spec.ts';

export const TIME_OF_DAY = /^([01]\d|2[0-3]):[0-5]\d$/;
const WINDOW = /^(?:([a-z,-]+) +)?(\d\d:\d\d)-(\d\d:\d\d)(?: +(\S+))?$/;

/**
 * `09:00-17:00`, `mon-fri 09:00-17:00 Europe/Berlin`, `sat,sun 22:00-04:00`.
 *
 * @throws SkeinError SKEIN_INVALID_ARGUMENT naming `place`
 */
export function parseWindow(text: string, place: string): Window {
  const [, days = '', from = '', to = '', timeZone = 'UTC'] = WINDOW.exec(text) ?? [];
  const found = days === '' ? [] : days.split(',').flatMap(daysIn);
  if (!TIME_OF_DAY.test(from) || !TIME_OF_DAY.test(to) || found.includes(undefined)) {
    throw new SkeinError('SKEIN_INVALID_ARGUMENT', `${place}: "${text}" is not a time window`, {
      remedy: 'Write it as "09:00-17:00" or "mon-fri 09:00-17:00 Europe/Berlin".',
    });
  }
  const known = found.filter((day) => day !== undefined);
  return { days: DAYS.filter((day) => known.includes(day)), from, to, timeZone };
}

/** `mon` or `mon-fri`, over the end of the week if need be. */
function daysIn(text: string): (Day | undefined)[] {
  const [first = '', last = first, ...more] = text.split('-');
  const names: readonly string[] = DAYS;
  const from = names.indexOf(first);
  const to = names.indexOf(last);
  if (from < 0 || to < 0 || more.length > 0) return [undefined];
  const length = ((to - from + DAYS.length) % DAYS.length) + 1;
  return Array.from({ length }, (_, i) => DAYS[(from + i) % DAYS.length]);
}

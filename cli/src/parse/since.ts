import { SkeinError } from '#common/errors.ts';
import { parseDuration } from './duration.ts';

/** RFC 3339, section 5.6, with upper-case letters as we print it. */
const RFC3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;

/**
 * A point in time: RFC 3339, or how long before `now`: `2h`, `2h ago`.
 *
 * @throws SkeinError SKEIN_INVALID_ARGUMENT naming `place`
 */
export function parseSince(text: string, now: Date, place: string): Date {
  const past = text.replace(/ +ago$/, '');
  return parseTime(text, place) ?? new Date(now.getTime() - parseDuration(past, place));
}

/**
 * A point in time: RFC 3339, or how long after `now`.
 *
 * @throws SkeinError SKEIN_INVALID_ARGUMENT naming `place`; for a time that is not to come, too
 */
export function parseUntil(text: string, now: Date, place: string): Date {
  const time = parseTime(text, place) ?? new Date(now.getTime() + parseDuration(text, place));
  if (time > now) return time;
  throw new SkeinError('SKEIN_INVALID_ARGUMENT', `${place}: "${text}" is over already`, {
    remedy: 'Give a time to come.',
  });
}

/**
 * @returns undefined for what does not look like a time at all
 * @throws SkeinError SKEIN_INVALID_ARGUMENT naming `place`
 */
export function parseTime(text: string, place: string): Date | undefined {
  const time = RFC3339.test(text) ? new Date(text) : undefined;
  if (time && !Number.isNaN(time.getTime())) return time;
  if (!time && !/^\d{4}-/.test(text)) return undefined;
  throw new SkeinError('SKEIN_INVALID_ARGUMENT', `${place}: "${text}" is not a time`, {
    remedy: 'Write it as 2026-01-31T12:00:00Z, or as a duration such as 1h.',
  });
}

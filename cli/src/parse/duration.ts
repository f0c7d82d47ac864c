import { SkeinError } from '#common/errors.ts';

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const LONGEST_MS = 365 * 86_400_000;

/** What a request of the controller can hold: 32 bits of milliseconds, 49 days. */
const LONGEST_SENT_MS = 2 ** 32 - 1;

/**
 * A duration that is sent to the controller: {@link parseDuration}, in whole milliseconds.
 *
 * @throws SkeinError SKEIN_INVALID_ARGUMENT naming `place`
 */
export function parseSentDuration(text: string, place: string): number {
  const ms = Math.ceil(parseDuration(text, place));
  if (ms <= LONGEST_SENT_MS) return ms;
  throw new SkeinError('SKEIN_INVALID_ARGUMENT', `${place}: "${text}" is too long`, {
    remedy: 'Give at most 49d.',
  });
}

/** As {@link parseSentDuration}, and `0` or `0s` for none. */
export function parseWait(text: string, place: string): number {
  return /^0(ms|s|m|h|d)?$/.test(text) ? 0 : parseSentDuration(text, place);
}

/**
 * A duration as Go writes it, with days: `30s`, `1h30m`, `1.5h`, `500ms`, `7d`.
 *
 * @returns milliseconds, above 0 and at most 365 days
 * @throws SkeinError SKEIN_INVALID_ARGUMENT naming `place`
 */
export function parseDuration(text: string, place: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/gy)];
  const whole = parts.map(([part]) => part).join('') === text;
  const ms = parts.reduce(
    (sum, [, count, unit]) => sum + Number(count) * (UNIT_MS[unit ?? ''] ?? 0),
    0,
  );
  if (!whole || !(ms > 0) || ms > LONGEST_MS) {
    throw new SkeinError('SKEIN_INVALID_ARGUMENT', `${place}: "${text}" is not a duration`, {
      remedy: 'Write it as 500ms, 30s, 1h30m or 7d, at most 365d.',
    });
  }
  return ms;
}

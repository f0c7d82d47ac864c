/** How long ago, as kubectl writes it: 12s, 4m, 3h, 9d. Clocks of two machines differ, so never negative. */
export function formatAge(time: Date, now: Date): string {
  const seconds = Math.max(0, Math.floor((now.getTime() - time.getTime()) / 1_000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 2 * 3_600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 2 * 86_400) return `${Math.floor(seconds / 3_600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}

/** UTC, to the second: 2026-03-01T12:00:00Z. */
export function formatTime(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, 'Z');
}

/** How long until `time`: 0s when it is past. */
export function formatLeft(time: Date, now: Date): string {
  const ms = Math.max(0, time.getTime() - now.getTime());
  return formatDuration(Math.ceil(ms / 1_000) * 1_000, 2);
}

/**
 * A duration as parseDuration() takes it, exact to the millisecond: 1h30m, 500ms, 0s. For people two units are enough:
 * give `units`.
 */
export function formatDuration(ms: number, units = Number.POSITIVE_INFINITY): string {
  const parts: string[] = [];
  let rest = ms;
  for (const [unit, size] of UNITS) {
    const whole = Math.floor(rest / size);
    if (whole > 0 && parts.length < units) parts.push(`${whole}${unit}`);
    rest -= whole * size;
  }
  return parts.join('') || '0s';
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
] as const;

/** A measured time with three digits at most: 340 ns, 48 µs, 3.1 ms, 12 s. */
export function formatNs(ns: bigint | number): string {
  let value = Number(ns);
  const units = ['ns', 'µs', 'ms', 's'];
  let unit = units.shift();
  for (const next of units) {
    if (value < 999.5) break;
    value /= 1_000;
    unit = next;
  }
  const text =
    value < 9.95 && unit !== 'ns' ? value.toFixed(1).replace(/\.0$/, '') : value.toFixed(0);
  return `${text} ${unit}`;
}

export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

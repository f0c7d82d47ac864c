import { DAYS, type Window } from '#common/rollout/spec.ts';
import { LocalTime } from './local-time.ts';

const DAY_MINUTES = 24 * 60;
/** Windows come round every week; a change of the clocks may swallow one. */
const HORIZON_DAYS = 15;

/** Whether a clock on the wall of one of the windows' places shows a time within it. No windows: always. */
export function isOpen(windows: readonly Window[], at: Date): boolean {
  return windows.length === 0 || windows.some((window) => isWithin(window, at));
}

/** When the next of them opens; `at` itself when one is open, undefined when none does within two weeks. */
export function nextOpening(windows: readonly Window[], at: Date): Date | undefined {
  return isOpen(windows, at) ? at : nextTurn(windows, at);
}

/** When none is open any more; undefined when that never is, or none is open now. */
export function nextClosing(windows: readonly Window[], at: Date): Date | undefined {
  if (windows.length === 0 || !isOpen(windows, at)) return undefined;
  return nextTurn(windows, at);
}

/** "22:00" in minutes; undefined for anything but HH:MM. */
export function minuteOfDay(text: string): number | undefined {
  const match = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text);
  return match ? Number(match[1]) * 60 + Number(match[2]) : undefined;
}

/** The first moment after `at` at which it is otherwise than at `at`. */
function nextTurn(windows: readonly Window[], at: Date): Date | undefined {
  const open = isOpen(windows, at);
  const end = at.getTime() + HORIZON_DAYS * DAY_MINUTES * 60_000;
  for (let time = at.getTime(); time < end; ) {
    time = Math.min(...windows.map((window) => nextBoundary(window, time)));
    if (isOpen(windows, new Date(time)) !== open) return new Date(time);
  }
  return undefined;
}

/** A moment after `time` before which the window neither opens nor closes. */
function nextBoundary({ from, to, timeZone }: Window, time: number): number {
  const { minute } = LocalTime.in(timeZone).at(time);
  const waits = [from, to, '00:00'].map((text) => {
    const wait = (minuteOfDay(text) ?? 0) - minute;
    return wait > 0 ? wait : wait + DAY_MINUTES;
  });
  const wholeMinute = Math.floor(time / 60_000) * 60_000;
  const next = wholeMinute + Math.min(...waits) * 60_000;
  return LocalTime.in(timeZone).nextShift(time, next) ?? next;
}

function isWithin({ days, from, to, timeZone }: Window, at: Date): boolean {
  const { minute, day } = LocalTime.in(timeZone).at(at.getTime());
  const begins = minuteOfDay(from) ?? 0;
  const ends = minuteOfDay(to) ?? 0;
  const isOn = (weekday: number) => {
    const name = DAYS[(weekday + DAYS.length) % DAYS.length];
    return days.length === 0 || (name !== undefined && days.includes(name));
  };
  if (begins < ends) return isOn(day) && minute >= begins && minute < ends;
  return (isOn(day) && minute >= begins) || (isOn(day - 1) && minute < ends);
}

import { DAYS, type RolloutSpec, type Window } from '#common/rollout/spec.ts';
import { badField } from '#common/rollout/spec-fields.ts';
import { LocalTime } from './local-time.ts';
import { minuteOfDay, nextOpening } from './windows.ts';

/** @throws SkeinError SKEIN_BAD_ROLLOUT naming the field, also for windows that never let the rollout begin */
export function checkWindows({ windows, startAt }: RolloutSpec, now: Date): void {
  for (const [index, window] of windows.entries()) checkWindow(window, `windows[${index}]`);
  if (windows.length === 0) return;
  const from = startAt && startAt > now ? startAt : now;
  if (!nextOpening(windows, from)) throw badField('windows', 'none of them ever opens');
}

function checkWindow({ days, from, to, timeZone }: Window, field: string): void {
  const unknown = days.find((day) => !DAYS.includes(day));
  if (unknown !== undefined) {
    throw badField(`${field}.days`, `"${unknown}" is none of ${DAYS.join(', ')}`);
  }
  for (const [name, text] of Object.entries({ from, to })) {
    if (minuteOfDay(text) !== undefined) continue;
    throw badField(`${field}.${name}`, `"${text}" is no time of day, such as "09:30"`);
  }
  try {
    LocalTime.in(timeZone);
  } catch {
    throw badField(`${field}.time_zone`, `"${timeZone}" is no time zone, such as "Europe/Berlin"`);
  }
}

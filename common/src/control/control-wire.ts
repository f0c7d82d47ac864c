import type * as wire from '#proto/gen/skein/v1/control.ts';
import { normaliseSelector } from '../targeting/selector.ts';
import { validTime } from '../wire-enum.ts';
import type { Control, ControlNote, Freeze, KillAll } from './control.ts';

/** The control record between its domain type and its wire type. */
export function controlToWire(control: Control): wire.Control {
  const { generation, cohorts, freeze, killAll, note } = control;
  return {
    generation,
    cohorts: cohorts.map((cohort) => ({ ...cohort })),
    freeze: freeze && { until: undefined, ...freeze },
    killAll,
    note,
  };
}

/** @throws SkeinError SKEIN_STORE_CORRUPT for what is missing or out of range, SKEIN_BAD_SELECTOR */
export function controlFromWire(message: wire.Control): Control {
  const { generation, freeze, killAll, note } = message;
  return {
    generation,
    ...(freeze ? { freeze: freezeFromWire(freeze) } : {}),
    ...(killAll ? { killAll: killAllFromWire(killAll) } : {}),
    cohorts: message.cohorts.map(({ name, selector }) => ({
      name,
      selector: normaliseSelector(selector),
    })),
    ...(note ? { note: noteFromWire(note) } : {}),
  };
}

function freezeFromWire({ actor, reason, since, until }: wire.Freeze): Freeze {
  return {
    actor,
    reason,
    since: validTime(since, 'freeze.since'),
    ...(until ? { until: validTime(until, 'freeze.until') } : {}),
  };
}

function killAllFromWire({ value, actor, reason, since }: wire.KillAll): KillAll {
  return { value, actor, reason, since: validTime(since, 'kill_all.since') };
}

function noteFromWire({ time, ...note }: wire.ControlNote): ControlNote {
  return { ...note, time: validTime(time, 'note.time') };
}

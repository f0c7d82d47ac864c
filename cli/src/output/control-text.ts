import { type Control, freezeAt } from '#common/control/control.ts';
import { onOff } from '../parse/values.ts';
import { formatAge, formatLeft, formatTime } from './quantities.ts';
import type { Cell, Paint } from './style.ts';
import { renderFields, renderTable } from './table.ts';

/** What holds for the whole fleet now. */
export function controlDetails(control: Control, now: Date, paint: Paint): string {
  const freeze = freezeAt(control, now);
  const { killAll } = control;
  const fields: (readonly [string, Cell])[] = [
    ['Freeze', freeze ? { text: 'in force', tone: 'warn' } : { text: 'none', tone: 'dim' }],
  ];
  if (freeze) {
    fields.push(
      ['Frozen', `${formatAge(freeze.since, now)} ago by ${freeze.actor}`],
      ['Reason', freeze.reason],
      ['Until', freeze.until ? describeUntil(freeze.until, now) : 'lifted'],
    );
  }
  if (killAll) {
    const since = `${formatAge(killAll.since, now)} ago by ${killAll.actor}`;
    const because = killAll.reason === '' ? '' : `: ${killAll.reason}`;
    const text = `every key is forced ${onOff(killAll.value)}, ${since}${because}`;
    fields.push(['Kill', { text, tone: 'bad' }]);
  }
  return renderFields(fields, paint);
}

export function cohortTable({ cohorts }: Control, paint: Paint): string {
  const rows = cohorts.map(({ name, selector }): Cell[] => [name, selector]);
  return renderTable(['COHORT', 'SELECTOR'], rows, paint);
}

function describeUntil(until: Date, now: Date): string {
  return `${formatTime(until)}, ${formatLeft(until, now)} left`;
}

import { type HostTally, isOver, type RolloutRecord } from '#common/rollout/rollout.ts';
import type { RolloutView } from '../client/rollout-calls.ts';
import { formatReach } from '../parse/amount.ts';
import { gateTable } from './gate-table.ts';
import { formatAge, formatDuration, formatLeft } from './quantities.ts';
import { bakeLeft, describeGoal, describeStep, phaseCell, whyNot } from './rollout-words.ts';
import type { Cell, Paint } from './style.ts';
import { renderFields, renderTable } from './table.ts';

const BAR_WIDTH = 30;
/** Of the transitions; `-o json` has them all. */
const SHOWN_TRANSITIONS = 5;

export function rolloutTable(rollouts: readonly RolloutView[], now: Date, paint: Paint): string {
  const rows = rollouts.map(({ record, hosts }): Cell[] => [
    record.id,
    describeGoal(record),
    phaseCell(record.state),
    describeStep(record),
    hostsCell(record.state, hosts),
    formatAge(record.createdAt, now),
    record.creator,
    whyNot(record, now),
  ]);
  const headers = ['ROLLOUT', 'CHANGE', 'PHASE', 'STEP', 'HOSTS', 'AGE', 'WHO', 'WHY'];
  return renderTable(headers, rows, paint);
}

/** All of a rollout: what `rollout get` prints, and one frame of the live view. */
export function rolloutDetails(view: RolloutView, now: Date, paint: Paint): string {
  const { record } = view;
  const parts = [
    renderFields(rolloutFields(view, now), paint),
    stepTable(record, paint),
    ...(record.state.gates.length > 0 ? [gateTable(record, now, paint)] : []),
    transitionTable(record, now, paint),
  ];
  return parts.join('\n');
}

function rolloutFields({ record, hosts }: RolloutView, now: Date): (readonly [string, Cell])[] {
  const { state, approval, spec } = record;
  const left = bakeLeft(record, now);
  const given = state.approvals.map(({ actor }) => actor).join(', ');
  return [
    ['Rollout', record.id],
    ['Change', describeGoal(record)],
    ['About', spec.description],
    ['Started', `${formatAge(record.createdAt, now)} ago by ${record.creator}`],
    ['Phase', phaseCell(state)],
    ['Why', { text: whyNot(record, now), tone: 'warn' }],
    ['Step', describeStep(record)],
    ['Bake left', left],
    ['Deadline', state.deadlineAt ? `in ${formatLeft(state.deadlineAt, now)}` : ''],
    [
      'Approvals',
      approval.required === 0 ? '' : `${state.approvals.length}/${approval.required} ${given}`,
    ],
    ...(isCounted(state, hosts)
      ? ([
          ['Hosts', `${progressBar(hosts)} ${hosts.applied}/${hosts.goal} of ${hosts.eligible}`],
          ['', describeTally(hosts)],
        ] as const)
      : ([['Hosts', `${hosts.eligible} concerned`]] as const)),
    ['Failed', { text: someHosts(hosts.failedHosts, hosts.failed), tone: 'bad' }],
    // Once it is over, nobody waits for them any more.
    ['Pending', isOver(state) ? '' : someHosts(hosts.pendingHosts, hosts.pending)],
    ['Unavailable', { text: someHosts(hosts.unavailableHosts, hosts.unavailable), tone: 'warn' }],
  ];
}

/** `12/50`, applied of the step's goal, with what is wrong behind it; `-` where no host is changed. */
export function hostsCell(state: RolloutRecord['state'], hosts: HostTally): Cell {
  if (!isCounted(state, hosts)) return '-';
  const { applied, goal, failed, unavailable } = hosts;
  const wrong = [
    failed > 0 ? `${failed} failed` : '',
    unavailable > 0 ? `${unavailable} unavailable` : '',
  ].filter(Boolean);
  const text = `${applied}/${goal}${wrong.length > 0 ? ` (${wrong.join(', ')})` : ''}`;
  if (wrong.length === 0) return text;
  return { text, tone: failed > 0 ? 'bad' : 'warn' };
}

/** Before the first host is taken, and once all is taken back, there is no progress to count. */
function isCounted({ phase, rollingBack }: RolloutRecord['state'], hosts: HostTally): boolean {
  if (phase === 'completed') return hosts.eligible > 0;
  return hosts.taken > 0 || rollingBack || phase === 'running';
}

/** The part of all hosts concerned that has applied, and the part that the step is to reach. */
function progressBar({ applied, goal, eligible }: HostTally): string {
  const share = (hosts: number) =>
    eligible === 0 ? 0 : Math.min(BAR_WIDTH, Math.floor((hosts / eligible) * BAR_WIDTH));
  const done = share(applied);
  const aimed = Math.max(done, share(goal));
  return `[${'#'.repeat(done)}${'-'.repeat(aimed - done)}${'.'.repeat(BAR_WIDTH - aimed)}]`;
}

function describeTally({ taken, applied, failed, pending, unavailable }: HostTally): string {
  // None is taken by rules that are gone: then they are counted over all hosts concerned.
  const of = taken === 0 ? '' : `${taken} taken: `;
  return `${of}${applied} applied, ${pending} pending, ${failed} failed, ${unavailable} unavailable`;
}

export function someHosts(names: readonly string[], total: number): string {
  const more = total > names.length ? `, and ${total - names.length} more` : '';
  return names.length === 0 ? '' : names.join(', ') + more;
}

function stepTable({ spec, state }: RolloutRecord, paint: Paint): string {
  const rows = spec.steps.map((step, index): Cell[] => [
    String(index + 1),
    formatReach(step.reach),
    step.bakeMs === 0 ? '-' : formatDuration(step.bakeMs),
    step.gates.map(({ name }) => name).join(', ') || '-',
    step.hold ? 'hold' : '-',
    stepCell(index, state),
  ]);
  return renderTable(['STEP', 'REACH', 'BAKE', 'GATES', 'THEN', 'STATE'], rows, paint);
}

function stepCell(index: number, state: RolloutRecord['state']): Cell {
  if (index < state.step) return { text: 'done', tone: 'good' };
  return index === state.step && state.phase !== 'planned' ? phaseCell(state) : '';
}

function transitionTable({ spec, transitions }: RolloutRecord, now: Date, paint: Paint): string {
  const rows = transitions.slice(-SHOWN_TRANSITIONS).map((transition): Cell[] => [
    formatAge(transition.time, now),
    transition.from ?? '-',
    transition.to,
    // Behind the last step there is none.
    transition.step < spec.steps.length ? String(transition.step + 1) : '-',
    transition.event,
    transition.actor,
    transition.reason,
  ]);
  return renderTable(['AGE', 'FROM', 'TO', 'STEP', 'EVENT', 'WHO', 'REASON'], rows, paint);
}

import type { HostView } from '../client/skein-client.ts';
import { observationCells, switchCell } from './key-tables.ts';
import { formatAge } from './quantities.ts';
import type { Cell, Paint, Tone } from './style.ts';
import { renderFields, renderTable } from './table.ts';

export function hostTable(hosts: readonly HostView[], now: Date, paint: Paint): string {
  const rows = hosts.map(({ report, state, lastSeen }): Cell[] => [
    report.host,
    stateCell(state),
    String(report.keys.length),
    report.engine,
    report.kernelRelease,
    report.agentVersion,
    lastSeen ? formatAge(lastSeen, now) : '-',
    describeLabels(report.labels),
  ]);
  const headers = ['HOST', 'STATE', 'KEYS', 'ENGINE', 'KERNEL', 'AGENT', 'SEEN', 'LABELS'];
  return renderTable(headers, rows, paint);
}

export function hostDetails(view: HostView, now: Date, paint: Paint): string {
  const { report } = view;
  const parts = [
    renderFields(
      [
        ['Host', report.host],
        ['State', stateCell(view.state)],
        ['Last seen', view.lastSeen ? `${formatAge(view.lastSeen, now)} ago` : '-'],
        ['Labels', describeLabels(report.labels)],
        ['Engine', report.engine],
        ['Kernel', report.kernelRelease],
        ['Agent', report.agentVersion],
      ],
      paint,
    ),
  ];
  if (report.keys.length > 0) parts.push(keysOfHost(view, now, paint));
  if (report.programs.length > 0) parts.push(programsOfHost(view, paint));
  return parts.join('\n');
}

export function stateCell(state: HostView['state']): Cell {
  return { text: state, tone: STATE_TONES[state] };
}

export function describeLabels(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return pairs.map(([label, value]) => `${label}=${value}`).join(',');
}

const STATE_TONES: Readonly<Record<HostView['state'], Tone>> = {
  synced: 'good',
  pending: 'warn',
  degraded: 'bad',
  lost: 'warn',
};

function keysOfHost(view: HostView, now: Date, paint: Paint): string {
  const rows = view.report.keys.map((observation): Cell[] => [
    observation.key,
    switchCell(observation.value),
    observation.outcome,
    ...observationCells(observation, now),
  ]);
  const headers = ['KEY', 'OBSERVED', 'OUTCOME', 'GEN', 'TIER', 'POKE', 'APPLY', 'AGE', 'ERROR'];
  return renderTable(headers, rows, paint);
}

function programsOfHost(view: HostView, paint: Paint): string {
  const rows = view.report.programs.map((program): Cell[] => [
    program.unit,
    program.program,
    program.attachPoint || program.type,
    program.tier,
    String(program.programId),
    String(program.sites),
    String(program.statistics.verifiedInstructions),
    String(program.statistics.jitedBytes),
    Object.entries(program.staticKeys)
      .map(([name, value]) => `${name}=${value ? 'on' : 'off'}`)
      .join(','),
  ]);
  const headers = ['UNIT', 'PROGRAM', 'ATTACHED', 'TIER', 'ID', 'SITES', 'INSNS', 'JITED'];
  return renderTable([...headers, 'STATIC KEYS'], rows, paint);
}

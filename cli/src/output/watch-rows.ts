import type { RolloutView } from '../client/rollout-calls.ts';
import type { HostProgress, HostView, KeyView } from '../client/skein-client.ts';
import { describeLabels, stateCell } from './host-tables.ts';
import { appliedCell, observationCells, PHASE_TONES, switchCell } from './key-tables.ts';
import { rolloutDocument } from './rollout-shapes.ts';
import { hostsCell } from './rollout-tables.ts';
import { describeStep, formatNumber, phaseCell, whyNot } from './rollout-words.ts';
import { summariseRules } from './rules.ts';
import { hostDocument, keyDocument, progressDocument } from './shapes.ts';
import type { Cell } from './style.ts';

/** One thing that a watch shows: as a row, and as a document. */
export interface WatchRow {
  /** Which thing; a row equal to the last one of the same thing is not shown again. */
  readonly id: string;
  readonly cells: readonly Cell[];
  readonly document: unknown;
}

/** Columns fixed beforehand, for rows to come are not known. */
export interface WatchColumns {
  readonly headers: readonly string[];
  readonly widths: readonly number[];
}

export const KEY_COLUMNS: WatchColumns = {
  headers: ['KEY', 'DEFAULT', 'GEN', 'APPLIED', 'RULES'],
  widths: [28, 7, 6, 16, 0],
};

export function keyRow(view: KeyView): WatchRow {
  const { desired } = view;
  return {
    id: desired.name,
    cells: [
      desired.name,
      desired.deleted ? 'deleted' : switchCell(desired.defaultValue),
      String(desired.generation),
      appliedCell(view.hosts),
      summariseRules(desired),
    ],
    document: keyDocument(view),
  };
}

export const PROGRESS_COLUMNS: WatchColumns = {
  headers: ['HOST', 'PHASE', 'DESIRED', 'OBSERVED', 'GEN', 'TIER', 'POKE', 'APPLY', 'ERROR'],
  widths: [28, 7, 7, 8, 6, 11, 7, 7, 0],
};

export function progressRow(view: KeyView, progress: HostProgress, now: Date): WatchRow {
  const { host, phase, desiredValue, observation } = progress;
  const [gen, tier, poke, apply, , error] = observationCells(observation, now);
  return {
    id: `${view.desired.name} ${host}`,
    cells: [
      host,
      { text: phase, tone: PHASE_TONES[phase] },
      switchCell(desiredValue),
      observation ? switchCell(observation.value) : '-',
      ...[gen, tier, poke, apply, error].map((cell) => cell ?? ''),
    ],
    document: {
      key: view.desired.name,
      generation: view.desired.generation,
      ...progressDocument(progress),
    },
  };
}

export const HOST_COLUMNS: WatchColumns = {
  headers: ['HOST', 'STATE', 'KEYS', 'ENGINE', 'LABELS'],
  widths: [28, 8, 4, 9, 0],
};

export function hostRow(view: HostView): WatchRow {
  const { report } = view;
  return {
    id: report.host,
    cells: [
      report.host,
      stateCell(view.state),
      String(report.keys.length),
      report.engine,
      describeLabels(report.labels),
    ],
    document: hostDocument(view),
  };
}

export const ROLLOUT_COLUMNS: WatchColumns = {
  headers: ['ROLLOUT', 'PHASE', 'STEP', 'HOSTS', 'GATES', 'WHY'],
  widths: [28, 11, 12, 12, 24, 0],
};

export function rolloutRow(view: RolloutView, now: Date): WatchRow {
  const { record, hosts } = view;
  const gates = record.spec.steps[record.state.step]?.gates ?? [];
  const measured = record.state.gates.map(({ verdict, last }, index) => {
    return `${gates[index]?.name ?? index + 1} ${formatNumber(last?.value)} ${verdict}`;
  });
  return {
    id: record.id,
    cells: [
      record.id,
      phaseCell(record.state),
      describeStep(record),
      hostsCell(record.state, hosts),
      measured.join(', ') || '-',
      whyNot(record, now),
    ],
    document: rolloutDocument(view),
  };
}

import type { Change } from '../manifest/changes.ts';
import { idOf } from '../manifest/changes.ts';
import { renderManifest } from '../manifest/declared.ts';
import { type DiffLine, diffLines } from '../manifest/unified-diff.ts';
import { count } from './quantities.ts';
import { type Cell, type Paint, printable, type Tone } from './style.ts';
import { renderTable } from './table.ts';

/** Every change as `diff -u` writes it: what the controller has, and what is declared. */
export function differencesText(changes: readonly Change[], paint: Paint): string {
  return changes.map((change) => differenceText(change, paint)).join('\n');
}

function differenceText(change: Change, paint: Paint): string {
  const place = change.declared ? printable(change.declared.place) : 'not declared';
  const head = [
    paint(`--- controller: ${change.action === 'create' ? 'nothing' : idOf(change)}`, 'strong'),
    paint(`+++ ${place}: ${change.action === 'delete' ? 'nothing' : idOf(change)}`, 'strong'),
  ];
  return [...head, ...linesOf(change).map((line) => renderLine(line, paint)), ''].join('\n');
}

function linesOf({ standing, declared }: Change): readonly DiffLine[] {
  return diffLines(
    standing ? renderManifest(standing) : '',
    declared ? renderManifest(declared) : '',
  );
}

function renderLine({ mark, text }: DiffLine, paint: Paint): string {
  // Indentation carries meaning, and is all that printable() would lose.
  const indent = /^ */.exec(text)?.[0] ?? '';
  const line = `${mark}${indent}${printable(text.slice(indent.length))}`;
  return mark === ' ' ? line : paint(line, mark === '+' ? 'good' : 'bad');
}

/** What is about to be done, one line each, and a sum. */
export function planText(changes: readonly Change[], total: number, paint: Paint): string {
  const rows = changes.map((change): Cell[] => [
    { text: change.action, tone: ACTION_TONES[change.action] },
    change.kind,
    change.name,
    change.declared?.place ?? 'not declared',
  ]);
  const table =
    changes.length === 0 ? '' : renderTable(['ACTION', 'KIND', 'NAME', 'BY'], rows, paint);
  return `${table}${summaryText(changes, total)}\n`;
}

/** `1 to create, 2 to change, 0 to delete; 12 as declared` */
export function summaryText(changes: readonly Change[], total: number): string {
  const number = (action: Change['action']) =>
    changes.filter((change) => change.action === action).length;
  const same = total - number('create') - number('change');
  if (changes.length === 0) return `${count(total, 'object')}, all as declared`;
  return `${number('create')} to create, ${number('change')} to change, ${number('delete')} to delete; ${same} as declared`;
}

const ACTION_TONES: Readonly<Record<Change['action'], Tone>> = {
  create: 'good',
  change: 'warn',
  delete: 'bad',
};

/** The document of one change, of `diff` and `apply`; stable like those of shapes.ts. */
export function changeDocument(change: Change) {
  return {
    action: change.action,
    kind: change.kind,
    name: change.name,
    place: change.declared?.place,
    diff: linesOf(change).map(({ mark, text }) => mark + text),
  };
}

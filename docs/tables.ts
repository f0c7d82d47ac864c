import { readFileSync } from 'node:fs';

/** A row of a Markdown table: the text of its cells. */
export type Row = readonly string[];

export function readPage(name: string): string {
  return readFileSync(new URL(name, import.meta.url), 'utf8');
}

/** What follows `marker` up to the next heading of the same level or above; for a comment, any heading. */
export function sectionAfter(page: string, marker: string): string {
  const start = page.indexOf(`\n${marker}\n`);
  if (start < 0) throw new Error(`no "${marker}"`);
  const rest = page.slice(start + marker.length + 2);
  const level = /^#+/.exec(marker)?.[0].length ?? 6;
  const end = rest.search(new RegExp(`^#{1,${level}} `, 'm'));
  return end < 0 ? rest : rest.slice(0, end);
}

/** The body rows of the first table in `text`. A `|` within a cell is written `\|`. */
export function firstTable(text: string): readonly Row[] {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => line.startsWith('|'));
  const length = lines.slice(start).findIndex((line) => !line.startsWith('|'));
  const table = lines.slice(start, length < 0 ? undefined : start + length);
  if (start < 0 || table.length < 3) throw new Error('no table');
  return table.slice(2).map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('\\|', '|')),
  );
}

/** The words in backticks. */
export function codeIn(cell: string): readonly string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code ?? '');
}

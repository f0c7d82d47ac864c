import { type Cell, type Paint, printable } from './style.ts';

const GAP = '   ';

/** Aligned columns under a header line, without trailing blanks. */
export function renderTable(
  headers: readonly string[],
  rows: readonly (readonly Cell[])[],
  paint: Paint,
): string {
  const head = headers.map((text): Cell => ({ text, tone: 'strong' }));
  const widths = columnWidths([head, ...rows]);
  return [head, ...rows].map((row) => renderRow(row, widths, paint)).join('');
}

/** One row, for tables that are never complete; a cell wider than its column pushes the rest. */
export function renderRow(row: readonly Cell[], widths: readonly number[], paint: Paint): string {
  const texts = row.map((cell) => printable(typeof cell === 'string' ? cell : cell.text));
  const last = texts.findLastIndex((text) => text !== '');
  const cells = texts.slice(0, last + 1).map((text, column) => {
    const cell = row[column];
    const painted = typeof cell === 'object' ? paint(text, cell.tone) : text;
    const missing = (widths[column] ?? 0) - width(text);
    return column === last ? painted : painted + ' '.repeat(Math.max(0, missing));
  });
  return `${cells.join(GAP)}\n`;
}

/** Names and values, one pair a line; pairs without a value are left out. */
export function renderFields(fields: readonly (readonly [string, Cell])[], paint: Paint): string {
  const shown = fields.filter(([, cell]) => (typeof cell === 'string' ? cell : cell.text) !== '');
  const rows = shown.map(([name, value]): Cell[] => [{ text: name, tone: 'strong' }, value]);
  const widths = columnWidths(rows);
  return rows.map((row) => renderRow(row, widths, paint)).join('');
}

function columnWidths(rows: readonly (readonly Cell[])[]): number[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      const text = printable(typeof cell === 'string' ? cell : cell.text);
      widths[column] = Math.max(widths[column] ?? 0, width(text));
    }
  }
  return widths;
}

function width(text: string): number {
  return [...text].length;
}

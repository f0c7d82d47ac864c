/** What every benchmark gives: a table for people and one JSON object. */
export interface BenchReport {
  /** First row: headings. */
  readonly table: readonly (readonly string[])[];
  readonly json: Readonly<Record<string, unknown>>;
}

/** Columns aligned; the first to the left, numbers to the right. */
export function formatTable(table: BenchReport['table']): string {
  const widths = (table[0] ?? []).map((_, column) =>
    Math.max(...table.map((row) => row[column]?.length ?? 0)),
  );
  return table
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  '),
    )
    .join('\n');
}

import type { Output } from './output.ts';
import type { Cell } from './style.ts';
import { renderRow } from './table.ts';
import type { WatchColumns, WatchRow } from './watch-rows.ts';

/** Prints rows that differ from the last of the same thing: after a break everything is told again. */
export class RowPrinter {
  readonly #output: Output;
  readonly #columns: WatchColumns;
  readonly #last = new Map<string, string>();

  constructor(output: Output, columns: WatchColumns) {
    this.#output = output;
    this.#columns = columns;
  }

  print(row: WatchRow, now: Date): void {
    const content = JSON.stringify(row.cells);
    if (this.#last.get(row.id) === content) return;
    const isFirst = this.#last.size === 0;
    this.#last.set(row.id, content);
    this.#output.streamed(row.document, () => {
      const head = isFirst ? this.#render('TIME', this.#columns.headers.map(asHeader)) : '';
      return head + this.#render(now.toISOString().slice(11, 19), row.cells);
    });
  }

  #render(time: string, cells: readonly Cell[]): string {
    return renderRow([time, ...cells], [8, ...this.#columns.widths], this.#output.paint);
  }
}

function asHeader(text: string): Cell {
  return { text, tone: 'strong' };
}

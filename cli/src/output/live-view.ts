/** Where a view is drawn over itself. */
export interface Screen {
  /** Columns and rows that there are now. */
  readonly size: { readonly columns: number; readonly rows: number };
  write(text: string): void;
}

/** Text that replaces what was drawn before. Lines that do not fit are cut: one that wraps would be left behind. */
export class LiveView {
  readonly #screen: Screen;
  #drawn = 0;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  draw(text: string): void {
    const { columns, rows } = this.#screen.size;
    // One row stays free, for the cursor stands behind the last line.
    const lines = text
      .replace(/\n$/, '')
      .split('\n')
      .slice(0, Math.max(1, rows - 1));
    const home = this.#drawn === 0 ? '' : `\u001b[${this.#drawn}F`;
    const body = lines.map((line) => `${fitLine(line, columns)}\u001b[K\n`).join('');
    this.#screen.write(`${home}${body}\u001b[J`);
    this.#drawn = lines.length;
  }
}

const COLOUR_BEGIN = '\u001b[';

/** As much of a line as fits; colours take no room, and all of them are kept so that each one ends. */
export function fitLine(line: string, columns: number): string {
  let fitted = '';
  let room = columns;
  for (let at = 0; at < line.length; ) {
    const isColour = line.startsWith(COLOUR_BEGIN, at);
    const length = isColour
      ? line.indexOf('m', at) - at + 1
      : String.fromCodePoint(line.codePointAt(at) ?? 0).length;
    if (isColour || room-- > 0) fitted += line.slice(at, at + length);
    at += length;
  }
  return fitted;
}

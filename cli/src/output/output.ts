import { type Format, renderDocument, renderStreamed } from './document.ts';
import type { Screen } from './live-view.ts';
import type { Paint } from './style.ts';

/** Of a terminal that does not tell. */
const USUAL_SIZE = { columns: 80, rows: 24 };

/** Where text goes. */
export interface Sink {
  readonly isTerminal: boolean;
  /** Of a terminal, when it is known. */
  readonly size?: Screen['size'];
  write(text: string): void;
}

export interface Progress {
  /** Of a terminal, where a line may be drawn over itself. */
  readonly columns?: number;
  write(text: string): void;
}

/** Results on stdout, in the format asked for; everything else on stderr. */
export class Output {
  readonly format: Format;
  readonly paint: Paint;
  readonly #stdout: Sink;
  readonly #stderr: Sink;
  readonly #quiet: boolean;

  constructor(options: {
    format: Format;
    paint: Paint;
    stdout: Sink;
    stderr: Sink;
    quiet: boolean;
  }) {
    this.format = options.format;
    this.paint = options.paint;
    this.#stdout = options.stdout;
    this.#stderr = options.stderr;
    this.#quiet = options.quiet;
  }

  /** One result: a document, or `text` for people. */
  result(document: unknown, text: () => string): void {
    this.#stdout.write(this.format === 'table' ? text() : renderDocument(document, this.format));
  }

  /** Several results under `name`; in jsonl one a line. An empty list is told on stderr, not by a bare header. */
  list(name: string, documents: readonly unknown[], table: () => string): void {
    if (this.format === 'jsonl') {
      for (const document of documents) this.#stdout.write(renderDocument(document, 'jsonl'));
    } else if (this.format === 'table' && documents.length === 0) {
      this.note(`No ${name}.`);
    } else {
      this.result({ [name]: documents }, table);
    }
  }

  /** One of an endless sequence of results. */
  streamed(document: unknown, text: () => string): void {
    this.#stdout.write(this.format === 'table' ? text() : renderStreamed(document, this.format));
  }

  /** For people, on the way to a result that a document holds the whole of. */
  text(text: () => string): void {
    if (this.format === 'table') this.#stdout.write(text());
  }

  /** A hint for people. Silent with --quiet. */
  note(text: string): void {
    if (!this.#quiet) this.#stderr.write(`${text}\n`);
  }

  /** Where results may be drawn over themselves; undefined: they go to a file, or to a program. */
  get screen(): Screen | undefined {
    const stdout = this.#stdout;
    if (!stdout.isTerminal || this.format !== 'table') return undefined;
    return {
      get size() {
        return stdout.size ?? USUAL_SIZE;
      },
      write: (text) => stdout.write(text),
    };
  }

  /** Where progress goes; undefined: none is wanted. */
  get progress(): Progress | undefined {
    if (this.#quiet) return undefined;
    const { isTerminal, size = USUAL_SIZE } = this.#stderr;
    const write = (text: string) => this.#stderr.write(text);
    return isTerminal ? { columns: size.columns, write } : { write };
  }
}

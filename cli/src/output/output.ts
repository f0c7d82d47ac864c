import { type Format, renderDocument, renderStreamed } from './document.ts';
import type { Paint } from './style.ts';

/** Where text goes. */
export interface Sink {
  readonly isTerminal: boolean;
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

  /** A hint for people. Silent with --quiet. */
  note(text: string): void {
    if (!this.#quiet) this.#stderr.write(`${text}\n`);
  }

  /** Whether progress may be drawn over itself; undefined: no progress wanted. */
  get progress(): { readonly live: boolean; write(text: string): void } | undefined {
    if (this.#quiet) return undefined;
    return { live: this.#stderr.isTerminal, write: (text) => this.#stderr.write(text) };
  }
}

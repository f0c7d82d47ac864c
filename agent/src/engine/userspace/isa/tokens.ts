import { SkeinError } from '#common/errors.ts';

/** One line of assembly, token by token. Mistakes name line, column (both from 1) and text. */
export class Tokens {
  readonly #line: number;
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(text: string, line: number) {
    this.#line = line;
    this.#text = text;
    this.#tokens = [...this.#split()];
  }

  get atEnd(): boolean {
    return this.#next === this.#tokens.length;
  }

  /** The token `ahead` of the next one, without taking it; '' at the end. */
  peek(ahead = 0): string {
    return this.#tokens[this.#next + ahead]?.text ?? '';
  }

  /** Takes the next token if it is this one. */
  skip(text: string): boolean {
    if (this.peek() !== text) return false;
    this.#next += 1;
    return true;
  }

  expect(...texts: readonly string[]): void {
    for (const text of texts) if (!this.skip(text)) throw this.error(`expected ${text}`);
  }

  expectEnd(): void {
    if (!this.atEnd) throw this.error('expected the end of the line');
  }

  /** Takes the next token if `read` makes something of it. */
  take<T>(what: string, read: (text: string) => T | undefined): T {
    const value = this.atEnd ? undefined : read(this.peek());
    if (value === undefined) throw this.error(`expected ${what}`);
    this.#next += 1;
    return value;
  }

  /** A signed number within bounds. */
  number(what: string, min: bigint, max: bigint): bigint {
    const at = this.#next;
    const negative = this.skip('-');
    if (!negative) this.skip('+');
    const magnitude = this.take(what, (text) => (/^\d/.test(text) ? BigInt(text) : undefined));
    const value = negative ? -magnitude : magnitude;
    if (value >= min && value <= max) return value;
    this.#next = at;
    throw this.error(`${what} out of range (${min} to ${max})`);
  }

  /** About the next token. */
  error(what: string): SkeinError {
    const token = this.#tokens[this.#next];
    const column = (token?.at ?? this.#text.trimEnd().length) + 1;
    const found = token === undefined ? 'the line ends' : `found "${token.text}"`;
    return this.#mistake(column, `${what}, ${found}`);
  }

  #mistake(column: number, what: string): SkeinError {
    const place = `line ${this.#line}, column ${column}`;
    return new SkeinError('SKEIN_INVALID_ARGUMENT', `${place}: ${what}: ${this.#text.trim()}`, {
      remedy: 'Correct the assembly.',
    });
  }

  *#split(): Generator<Token> {
    TOKEN.lastIndex = 0;
    while (TOKEN.lastIndex < this.#text.length) {
      const at = TOKEN.lastIndex;
      const text = TOKEN.exec(this.#text)?.[0];
      if (text === undefined) throw this.#mistake(at + 1, 'not a token');
      if (text.trim() !== '') yield { text, at };
    }
  }
}

interface Token {
  readonly text: string;
  /** From 0. */
  readonly at: number;
}

/** Operators first: the s of `s>` is no word. */
const TOKEN =
  /\s+|<<=|s?(?:>>=|[<>/%]=|[<>])|[-+*|&^=!]=|[-+*&()[\]=,:#]|0x[0-9a-fA-F]+(?!\w)|\d+(?!\w)|kernel-function|[A-Za-z_.$][\w.$]*/y;

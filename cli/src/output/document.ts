import { stringify } from 'yaml';

export const FORMATS = ['table', 'json', 'yaml', 'jsonl'] as const;
export type Format = (typeof FORMATS)[number];
export const DEFAULT_FORMAT: Format = 'table';
/** The formats for programs: stdout holds nothing but documents. */
type DocumentFormat = Exclude<Format, 'table'>;

type Plain =
  | null
  | boolean
  | number
  | string
  | readonly Plain[]
  | { readonly [key: string]: Plain };

/** One document, with a line break at its end. */
export function renderDocument(value: unknown, format: DocumentFormat): string {
  const plain = toPlain(value);
  switch (format) {
    case 'json':
      return `${JSON.stringify(plain, null, 2)}\n`;
    case 'jsonl':
      return `${JSON.stringify(plain)}\n`;
    case 'yaml':
      return stringify(plain, { lineWidth: 0 });
  }
}

/** One of an endless sequence of documents: a line of JSON, or YAML behind its marker. */
export function renderStreamed(value: unknown, format: DocumentFormat): string {
  return format === 'yaml'
    ? `---\n${renderDocument(value, 'yaml')}`
    : renderDocument(value, 'jsonl');
}

/**
 * Domain values as JSON has them: times in RFC 3339, 64-bit integers as numbers while a double holds them exactly
 * and as strings above, absent fields left out.
 */
function toPlain(value: unknown): Plain {
  if (value === null || value === undefined) return null;
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : String(value);
  }
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(toPlain);
  if (typeof value === 'object') {
    const fields = Object.entries(value).filter(([, field]) => field !== undefined);
    return Object.fromEntries(fields.map(([name, field]) => [name, toPlain(field)]));
  }
  if (typeof value === 'boolean' || typeof value === 'number') return value;
  return String(value);
}

import { HOST_NAME } from '#proto/subjects.ts';
import { SkeinError } from '../errors.ts';

/**
 * Kubernetes label selectors: `a=b`, `a==b`, `a!=b`, `a in (b,c)`, `a notin (b,c)`, `a`, `!a`, joined by commas.
 * As there, `!=` and `notin` also match hosts that lack the label. An empty selector matches every host.
 * Source: kubernetes.io "Labels and Selectors".
 */
export type Selector = readonly Requirement[];

export type Requirement =
  | { readonly label: string; readonly op: 'in' | 'notin'; readonly values: readonly string[] }
  | { readonly label: string; readonly op: 'exists' | 'absent' };

export type Labels = Readonly<Record<string, string>>;

/** Label keys: an optional DNS prefix and a name of at most 63, as in Kubernetes. */
export const LABEL_KEY =
  /^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;
/** Label values: empty, or at most 63 of [A-Za-z0-9_.-] that begin and end alphanumeric. */
export const LABEL_VALUE = /^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$/;

const TOKEN = /\s*(==|!=|=|!|\(|\)|,|[^\s=!(),]+)/y;

/** @throws SkeinError SKEIN_BAD_SELECTOR, naming the column. */
export function parseSelector(text: string): Selector {
  const tokens = new Tokens(text);
  const requirements: Requirement[] = [];
  if (tokens.peek() === undefined) return requirements;
  do requirements.push(parseRequirement(tokens));
  while (tokens.take(','));
  if (tokens.peek() !== undefined) throw tokens.unexpected('a comma or the end');
  return requirements;
}

/**
 * One text for all selectors that differ only in spelling: `b, a==x` and `a in (x,x),b` both become `a=x,b`.
 *
 * @throws SkeinError SKEIN_BAD_SELECTOR
 */
export function normaliseSelector(text: string): string {
  const requirements = parseSelector(text).map(formatRequirement);
  return [...new Set(requirements)].sort().join(',');
}

function formatRequirement(requirement: Requirement): string {
  const { label } = requirement;
  if (!('values' in requirement)) return requirement.op === 'exists' ? label : `!${label}`;
  const values = [...new Set(requirement.values)].sort();
  if (values.length === 1) return `${label}${requirement.op === 'in' ? '=' : '!='}${values[0]}`;
  return `${label} ${requirement.op} (${values.join(',')})`;
}

export function matches(selector: Selector, labels: Labels): boolean {
  return selector.every((requirement) => isMet(requirement, labels));
}

function isMet(requirement: Requirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, requirement.label) ? labels[requirement.label] : undefined;
  switch (requirement.op) {
    case 'exists':
      return value !== undefined;
    case 'absent':
      return value === undefined;
    case 'in':
      return value !== undefined && requirement.values.includes(value);
    case 'notin':
      return value === undefined || !requirement.values.includes(value);
  }
}

function parseRequirement(tokens: Tokens): Requirement {
  if (tokens.take('!')) return { label: tokens.label(), op: 'absent' };
  const label = tokens.label();
  if (tokens.take('=') || tokens.take('=='))
    return { label, op: 'in', values: [tokens.value(label)] };
  if (tokens.take('!=')) return { label, op: 'notin', values: [tokens.value(label)] };
  for (const op of ['in', 'notin'] as const) {
    if (tokens.take(op)) return { label, op, values: parseValueList(tokens, label) };
  }
  return { label, op: 'exists' };
}

function parseValueList(tokens: Tokens, label: string): string[] {
  if (!tokens.take('(')) throw tokens.unexpected('"("');
  const values: string[] = [];
  do values.push(tokens.value(label));
  while (tokens.take(','));
  if (!tokens.take(')')) throw tokens.unexpected('")"');
  return values;
}

class Tokens {
  readonly #text: string;
  readonly #tokens: { readonly text: string; readonly column: number }[] = [];
  #next = 0;

  constructor(text: string) {
    this.#text = text;
    TOKEN.lastIndex = 0;
    for (let match = TOKEN.exec(text); match?.[1] !== undefined; match = TOKEN.exec(text)) {
      const column = TOKEN.lastIndex - match[1].length + 1;
      this.#tokens.push({ text: match[1], column });
    }
  }

  peek(): string | undefined {
    return this.#tokens[this.#next]?.text;
  }

  take(expected: string): boolean {
    if (this.peek() !== expected) return false;
    this.#next++;
    return true;
  }

  label(): string {
    return this.#word(LABEL_KEY, 'a label key');
  }

  /**
   * As in Kubernetes, a value may be empty: `a=` and `a in (,b)`. The implied label "host" holds host names,
   * which may be longer than label values.
   */
  value(label: string): string {
    const text = this.peek();
    if (text === undefined || text === ',' || text === ')') return '';
    if (label === 'host' && HOST_NAME.test(text)) return this.#word(HOST_NAME, 'a host name');
    return this.#word(LABEL_VALUE, 'a label value');
  }

  unexpected(wanted: string): SkeinError {
    const token = this.#tokens[this.#next];
    const found = token ? `"${token.text}" at column ${token.column}` : 'the end';
    return new SkeinError(
      'SKEIN_BAD_SELECTOR',
      `selector "${this.#text}": expected ${wanted}, found ${found}`,
    );
  }

  #word(pattern: RegExp, wanted: string): string {
    const text = this.peek();
    if (text === undefined || !pattern.test(text)) throw this.unexpected(wanted);
    this.#next++;
    return text;
  }
}

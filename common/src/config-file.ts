import {
  type Document,
  type ErrorCode,
  isMap,
  isNode,
  isScalar,
  LineCounter,
  parseDocument,
} from 'yaml';
import type { z } from 'zod';
import { readConfigured } from './configured-file.ts';
import { SkeinError } from './errors.ts';

/** What the YAML reader says of these is for programmers. */
const IN_OUR_WORDS: { readonly [Code in ErrorCode]?: string } = {
  DUPLICATE_KEY: 'the field is there already',
  MULTIPLE_DOCS: 'more than one document',
  NON_STRING_KEY: 'a field must be named by text',
};

/**
 * Reads a YAML file and validates it.
 *
 * @throws SkeinError SKEIN_CONFIG naming file, line and field; all wrong fields at once
 */
export function readConfigFile<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
): z.output<Schema> {
  const remedy = 'Name a configuration file that is there and that this user may read.';
  return parseConfig(readConfigured(path, { remedy }).toString(), path, schema);
}

/** The pure part of {@link readConfigFile}. */
export function parseConfig<Schema extends z.ZodType>(
  text: string,
  path: string,
  schema: Schema,
): z.output<Schema> {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
  });
  const broken = document.errors[0] ?? document.warnings[0];
  if (broken) {
    const { line } = lines.linePos(broken.pos[0]);
    const what = IN_OUR_WORDS[broken.code] ?? broken.message;
    throw new SkeinError('SKEIN_CONFIG', `${path}:${line}: ${what}`);
  }
  const result = schema.safeParse(toValue(document, path), {
    error: ({ code, input }) =>
      code === 'invalid_type' && input === undefined ? 'missing' : undefined,
  });
  if (result.success) return result.data;
  const fields = describeIssues(result.error.issues, document, lines);
  throw new SkeinError('SKEIN_CONFIG', `${path}: ${fields}`);
}

/** What is wrong with a document: line, field and reason of each issue, in one line. */
export function describeIssues(
  issues: readonly z.core.$ZodIssue[],
  document: Document,
  lines: LineCounter,
): string {
  const fields = issues.map((issue) => {
    const unknown = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
    const place = unknown === undefined ? issue.path : [...issue.path, unknown];
    const offset = offsetOf(document, place);
    const line = offset === undefined ? '' : `line ${lines.linePos(offset).line}, `;
    const what = issue.code === 'invalid_key' ? issue.issues[0]?.message : issue.message;
    return `${line}${place.map(String).join('.') || '(top level)'}: ${what}`;
  });
  return fields.join('; ');
}

/** Aliases are resolved here, and one that leads nowhere or expands without bound is refused only here. */
function toValue(document: Document, path: string): unknown {
  try {
    return document.toJS() ?? {};
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SkeinError('SKEIN_CONFIG', `${path}: ${why}`, { cause });
  }
}

/** Where a field is named; for a missing field, where its closest present parent is. */
function offsetOf(document: Document, place: readonly PropertyKey[]): number | undefined {
  for (let depth = place.length; depth > 0; depth--) {
    const parent = document.getIn(place.slice(0, depth - 1), true);
    const last = place[depth - 1];
    if (isMap(parent)) {
      const pair = parent.items.find(({ key }) => isScalar(key) && key.value === last);
      if (isNode(pair?.key)) return pair.key.range?.[0];
    }
    const item = document.getIn(place.slice(0, depth), true);
    if (isNode(item)) return item.range?.[0];
  }
  return undefined;
}

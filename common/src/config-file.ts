import { readFileSync } from 'node:fs';
import { parseDocument } from 'yaml';
import type { z } from 'zod';
import { SkeinError } from './errors.ts';

/**
 * Reads a YAML file and validates it.
 *
 * @throws SkeinError SKEIN_CONFIG naming file, line and field; all wrong fields at once
 */
export function readConfigFile<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
): z.output<Schema> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new SkeinError('SKEIN_CONFIG', `cannot read ${path}`, { cause });
  }
  return parseConfig(text, path, schema);
}

/** The pure part of {@link readConfigFile}. */
export function parseConfig<Schema extends z.ZodType>(
  text: string,
  path: string,
  schema: Schema,
): z.output<Schema> {
  const document = parseDocument(text);
  const broken = document.errors[0];
  if (broken) {
    throw new SkeinError('SKEIN_CONFIG', `${path}: ${broken.message.split('\n')[0]}`);
  }
  const result = schema.safeParse(document.toJS() ?? {});
  if (result.success) return result.data;
  const fields = result.error.issues.map((issue) => {
    const field = issue.path.map(String).join('.') || '(top level)';
    return `${field}: ${issue.message}`;
  });
  throw new SkeinError('SKEIN_CONFIG', `${path}: ${fields.join('; ')}`);
}

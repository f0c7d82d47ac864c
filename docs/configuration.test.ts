import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { z } from 'zod';
import { readAgentConfig } from '#agent/config.ts';
import { readContext } from '#cli/connection/context-file.ts';
import { readControllerConfig } from '#controller/config.ts';
import { codeIn, firstTable, readPage, sectionAfter } from './tables.ts';

const page = readPage('configuration.md');
const directory = mkdtempSync(join(tmpdir(), 'skein-docs-'));
after(() => rmSync(directory, { recursive: true }));

/** Kind of file → its reader. */
const READERS: Readonly<Record<string, (path: string) => unknown>> = {
  agent: (path) => readAgentConfig(path, { host: 'local', helperPath: '/helper' }),
  controller: readControllerConfig,
  command: (path) => readContext(path, true),
};

function read(kind: string, text: string): unknown {
  const path = join(directory, `${kind}.yaml`);
  writeFileSync(path, text);
  return READERS[kind]?.(path);
}

for (const kind of Object.keys(READERS)) {
  test(`complete examples for ${kind} are valid`, () => {
    const marked = new RegExp(`<!-- complete example: ${kind} -->\n\`\`\`yaml\n(.*?)\`\`\``, 'gs');
    const examples = [...page.matchAll(marked)].map(([, text]) => text ?? '');
    assert.ok(examples.length > 0);
    for (const text of examples) read(kind, text);
  });

  test(`fields of ${kind}: those of its schema, required where it says so`, () => {
    const rows = firstTable(sectionAfter(page, `<!-- fields: ${kind} -->`));
    const documented = rows.map(([field = '', , byDefault]) => {
      const need = byDefault === 'required' ? 'required' : 'optional';
      return `${codeIn(field).join()}: ${need}`;
    });
    assert.deepEqual(documented.sort(), fieldsOf(schemaOf(kind), '').sort());
  });
}

test('the two fleet sections are the same', () => {
  const natsRows = (kind: string) =>
    firstTable(sectionAfter(page, `<!-- fields: ${kind} -->`))
      .filter(([field]) => field?.startsWith('`nats.'))
      .map(([field, type, byDefault]) => [field, type, byDefault]);
  assert.deepEqual(natsRows('controller'), natsRows('agent'));
});

/** Schemas are private to their files; the issue that an unknown field raises names the schema it missed. */
function schemaOf(kind: string): z.ZodObject {
  let found: unknown;
  z.config({
    customError: ({ code, inst }) => {
      if (code === 'unrecognized_keys') found = inst;
      return undefined;
    },
  });
  try {
    assert.throws(() => read(kind, 'no such field: 1'), { code: 'SKEIN_CONFIG' });
  } finally {
    z.config({ customError: undefined });
  }
  assert.ok(found instanceof z.ZodObject);
  return found;
}

/** `path: required` or `path: optional` of every field, sections included. */
function fieldsOf(schema: z.core.$ZodType, path: string): string[] {
  if (schema instanceof z.ZodOptional) return fieldsOf(schema.unwrap(), path);
  if (schema instanceof z.ZodDefault) return fieldsOf(schema.unwrap(), path);
  if (schema instanceof z.ZodPipe) return fieldsOf(schema.in, path);
  if (schema instanceof z.ZodArray) return fieldsOf(schema.element, `${path}[]`);
  if (schema instanceof z.ZodRecord) return [`${path}{}: optional`];
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.entries(schema.shape).flatMap(([name, field]) => {
    const place = path === '' ? name : `${path}.${name}`;
    const isOptional = field instanceof z.ZodOptional || field instanceof z.ZodDefault;
    return [`${place}: ${isOptional ? 'optional' : 'required'}`, ...fieldsOf(field, place)];
  });
}

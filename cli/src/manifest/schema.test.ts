import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { renderDocument } from '../output/document.ts';
import { manifestJsonSchema } from './schema.ts';

const PUBLISHED = new URL('../../../docs/schema/skein.schema.json', import.meta.url);

/** After a wanted change: SKEIN_UPDATE_GOLDENS=1. */
test('the published schema is that of the code', () => {
  const text = renderDocument(manifestJsonSchema(), 'json');
  if (process.env.SKEIN_UPDATE_GOLDENS) writeFileSync(PUBLISHED, text);
  assert.equal(text, readFileSync(PUBLISHED, 'utf8'));
});

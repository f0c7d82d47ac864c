import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseManifests } from '#cli/manifest/parse-manifests.ts';
import { manifestJsonSchema } from '#cli/manifest/schema.ts';
import { codeIn, firstTable, readPage, sectionAfter } from './tables.ts';

const page = readPage('manifests.md');

/** Names of every property, at any depth. */
function propertiesIn(schema: unknown): readonly string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  return Object.entries(schema).flatMap(([name, value]) =>
    name === 'properties' && typeof value === 'object' && value !== null
      ? [...Object.keys(value), ...Object.values(value).flatMap(propertiesIn)]
      : propertiesIn(value),
  );
}

test('every field of the schema is in manifests.md, and no other', () => {
  const sections = ['# Manifests', '## FleetKey', '## Cohort', '## Rollout', '### Gate'];
  const documented = sections.flatMap((section) => {
    // The first table of the page is under its title.
    const text = section === '# Manifests' ? page : sectionAfter(page, section);
    return firstTable(text).flatMap(([fields = '']) => codeIn(fields).flatMap(namesOf));
  });
  const real = propertiesIn(manifestJsonSchema());
  assert.deepEqual([...new Set(documented)].sort(), [...new Set(real)].sort());
});

test('the examples of manifests.md are manifests', () => {
  const examples = [...page.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, text = '']) => text);
  const kinds = examples.flatMap((text) => parseManifests(text, 'manifests.md'));
  assert.deepEqual(
    kinds.map(({ kind }) => kind),
    ['FleetKey', 'Cohort', 'Rollout'],
  );
});

test('the manifest of rollouts.md is one', () => {
  const text = /^```yaml\n(apiVersion:.*?)^```$/ms.exec(readPage('rollouts.md'))?.[1] ?? '';
  const [rollout] = parseManifests(text, 'rollouts.md');
  assert.equal(rollout?.kind, 'Rollout');
});

/** Every part of a field's path: `rules[].selector` → rules, selector. */
function namesOf(field: string): readonly string[] {
  return field.split('.').map((part) => part.replace(/\[\]$/, ''));
}

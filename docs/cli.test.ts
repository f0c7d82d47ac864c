import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Argument, Command } from 'commander';
import { EXIT_CODES } from '#cli/exit-codes.ts';
import { inspectObject } from '#cli/object/inspect-object.ts';
import { objectDocument } from '#cli/object/object-text.ts';
import { COMMAND_TREE, visibleCommands } from '#cli/testing/command-tree.ts';
import { dumpObject } from '#cli/vm/dump-object.ts';
import { exampleObject } from '../examples/example-object.ts';
import { codeIn, firstTable, readPage, sectionAfter } from './tables.ts';

const page = readPage('cli.md');
const ROOT = new URL('..', import.meta.url);

const synopsis = (words: string, command: Command): string =>
  ['skein', words, ...command.registeredArguments.map(argumentText)].join(' ');
const argumentText = (argument: Argument): string =>
  argument.required ? `<${argument.name()}>` : `[${argument.name()}]`;

const flagsOf = (command: Command): readonly string[] =>
  command.options.filter(({ hidden }) => !hidden).map(({ flags }) => flags);

const documentedFlags = (section: string): readonly string[] =>
  section.includes('| option |')
    ? firstTable(section).map(([flags = '']) => codeIn(flags)[0] ?? '')
    : [];

test('every command with its arguments and options is in cli.md, and no other', () => {
  const documented = [...page.matchAll(/^### `(skein .+)`$/gm)].map(([, text = '']) => [
    text,
    documentedFlags(sectionAfter(page, `### \`${text}\``)),
  ]);
  const real = visibleCommands()
    .filter(([, { commands }]) => commands.length === 0)
    .map(([words, command]) => [synopsis(words, command), flagsOf(command)]);
  assert.deepEqual(documented, real);
});

test('the options of every command are in cli.md', () => {
  const documented = documentedFlags(sectionAfter(page, '## Options of every command'));
  assert.deepEqual(documented, [...flagsOf(COMMAND_TREE), '-h, --help']);
});

test('exit codes in cli.md are those of the command', () => {
  const real = EXIT_CODES.map(({ code, meaning }) => [String(code), meaning]);
  assert.deepEqual(firstTable(sectionAfter(page, '## Exit codes')), real);
});

/** Golden document → the sections that have its fields. */
const GOLDENS: readonly [golden: string, sections: readonly string[]][] = [
  ['key-get.json', ['Key', 'Desired state', 'Progress of a host', 'Observation']],
  ['key-get-owned.json', ['Key', 'Desired state', 'Progress of a host', 'Observation']],
  ['host-get.json', ['Host', 'Observation', 'Program']],
  ['program-get.json', ['Program']],
  ['program-sites.json', ['Site']],
  ['program-dump.json', ['Assembly']],
  ['explain.json', ['Explanation', 'Observation']],
  ['audit.json', ['Audit record', 'Desired state', 'Rollout', 'Control']],
  ['rollout-get.json', ['Rollout']],
  ['rollout-plan.json', ['Rollout plan']],
  ['control.json', ['Control']],
  ['diff.json', ['Difference']],
];

for (const [golden, sections] of GOLDENS) {
  test(`every field of ${golden} is in cli.md`, () => {
    const documented = new Set(
      sections.flatMap((section) =>
        firstTable(sectionAfter(page, `### ${section}`)).flatMap(([field = '']) =>
          lastName(codeIn(field)[0]),
        ),
      ),
    );
    const text = readFileSync(new URL(`cli/src/output/goldens/${golden}`, ROOT), 'utf8');
    const missing = namesIn(JSON.parse(text)).filter((name) => !documented.has(name));
    assert.deepEqual(missing, []);
  });
}

test('every field of object inspect is in cli.md', () => {
  const inspected = inspectObject(readFileSync(exampleObject('guard')));
  const rows = firstTable(sectionAfter(page, '### Object'));
  const documented = new Set(rows.flatMap(([field = '']) => lastName(codeIn(field)[0])));
  const fields = namesIn(objectDocument(inspected)).filter((name) => !documented.has(name));
  assert.deepEqual(fields, []);
});

test('every field of object dump is in cli.md', () => {
  const dumped = dumpObject(readFileSync(exampleObject('guard')));
  const rows = firstTable(sectionAfter(page, '### Assembly'));
  const documented = new Set(rows.flatMap(([field = '']) => lastName(codeIn(field)[0])));
  assert.deepEqual(
    namesIn(JSON.parse(JSON.stringify(dumped))).filter((name) => !documented.has(name)),
    [],
  );
});

test('environment variables in configuration.md are those that the command reads', () => {
  const sources = globSync('cli/src/**/*.ts', {
    cwd: ROOT,
    exclude: ['**/*.test.ts', 'cli/src/testing/**'],
  });
  const text = sources.map((file) => readFileSync(new URL(file, ROOT), 'utf8')).join('');
  const read = text.matchAll(/\b(?:env|environment)\.([A-Z_]+)/g);
  const launcher = readFileSync(new URL('cli/bin/skein', ROOT), 'utf8').matchAll(/^export (\w+)/gm);
  const real = new Set([...read, ...launcher].map(([, name]) => name));
  const section = sectionAfter(readPage('configuration.md'), '## Environment variables');
  const documented = firstTable(section).map(([name = '']) => codeIn(name)[0]);
  assert.deepEqual(documented.sort(), [...real].sort());
});

/** Every part of a documented field's path: `rules[].portion?` → rules, portion. */
function lastName(field = ''): readonly string[] {
  return field.split('.').map((part) => part.replace(/[?[\]{}]+$/, ''));
}

/** Names of all fields at any depth, but for maps, whose names are the user's. */
function namesIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return [...new Set(value.flatMap(namesIn))];
  if (typeof value !== 'object' || value === null) return [];
  const inner = Object.entries(value).flatMap(([name, field]) =>
    MAPS.includes(name) ? [name] : [name, ...namesIn(field)],
  );
  return [...new Set(inner)];
}

/** A spec has the fields of a manifest, and a page of its own. */
const MAPS = ['labels', 'staticKeys', 'spec'];

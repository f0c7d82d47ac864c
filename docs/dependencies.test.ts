import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { codeIn, firstTable, type Row, readPage, sectionAfter } from './tables.ts';

const page = readPage('dependencies.md');
const project = (path: string): string =>
  readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

/** What package.json asks for, by section. */
type Manifest = Readonly<
  Record<
    'dependencies' | 'optionalDependencies' | 'devDependencies',
    Readonly<Record<string, string>>
  >
>;
const manifest: Manifest = JSON.parse(project('package.json'));

interface Locked {
  readonly license: string;
  readonly dev?: boolean;
  readonly engines?: { readonly node?: string };
}
/** What npm installs, by its path: that of a direct dependency is `node_modules/NAME`. */
const { packages }: { packages: Readonly<Record<string, Locked>> } = JSON.parse(
  project('package-lock.json'),
);
const installed = Object.entries(packages).filter(([path]) => path !== '');

const rowsUnder = (heading: string): readonly Row[] => firstTable(sectionAfter(page, heading));
const namesIn = (rows: readonly Row[]): readonly string[] =>
  rows.flatMap(([names = '']) => codeIn(names)).sort();

const RUN_TIME = rowsUnder('## npm, at run time');
const DEVELOPMENT = rowsUnder('## npm, for development');

test('npm packages in dependencies.md are those of package.json, and pinned', () => {
  const { dependencies, optionalDependencies, devDependencies } = manifest;
  const atRunTime = { ...dependencies, ...optionalDependencies };
  assert.deepEqual(namesIn(RUN_TIME), Object.keys(atRunTime).sort());
  assert.deepEqual(namesIn(DEVELOPMENT), Object.keys(devDependencies).sort());
  for (const [name, version] of Object.entries({ ...atRunTime, ...devDependencies })) {
    assert.match(version, /^\d+\.\d+\.\d+$/, name);
  }
});

test('each has a licence, which is the one that it declares, a reason and a maintainer', () => {
  for (const [names = '', licence = '', ...rest] of [...RUN_TIME, ...DEVELOPMENT]) {
    for (const name of codeIn(names)) {
      const declared = packages[`node_modules/${name}`]?.license.replace(/[()]/g, '');
      assert.equal(
        licence.replace(/ and | or /g, (word) => word.toUpperCase()),
        declared,
        name,
      );
    }
    assert.ok(rest.length === 2 && rest.every((cell) => cell !== ''), names);
  }
});

test('what production installs has the licences that dependencies.md names', () => {
  const production = installed.filter(([, { dev }]) => !dev);
  assert.match(page, new RegExp(`\\(${production.length} packages in all\\)`));
  for (const [path, { license }] of production) {
    for (const each of license.replace(/[()]/g, '').split(' AND ')) {
      assert.match(each, /^(MIT|ISC|BSD-[23]-Clause|Apache-2\.0|Unlicense)$/, path);
    }
  }
});

test('each of them takes Node 24', () => {
  const refusing = installed.filter(([, { engines }]) => {
    const lowest = [...(engines?.node ?? '>=0').matchAll(/>= ?(\d+)/g)].map(([, major]) => major);
    return !lowest.some((major) => Number(major) <= 24);
  });
  assert.deepEqual(refusing, []);
});

test('Debian packages in dependencies.md are those that the set-up installs', () => {
  const setup = project('scripts/setup.sh');
  const wanted = [...setup.matchAll(/^ +(?:command|header)_of \S+ (\S+)$/gm)].map(
    ([, name = '']) => name,
  );
  const byVersion = [...setup.matchAll(/apt_install "([a-z-]+)\$\(.*\)(-dev)"/g)].map(
    ([, before, after]) => `${before}*${after}`,
  );
  assert.equal(byVersion.length, 1);
  const rows = rowsUnder('## Debian and Ubuntu packages');
  assert.deepEqual(namesIn(rows.map(([names = '']) => [names])), [...wanted, ...byVersion].sort());
  for (const [names = '', licence, reason] of rows) assert.ok(licence && reason, names);
});

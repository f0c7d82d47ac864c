import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PAGES = globSync(
  [
    '*.md',
    '{docs,deploy,examples,agent/{native,wire,libskein}}/**/*.md',
    '{agent,cli,controller}/*.md',
  ],
  { cwd: ROOT },
).map((page) => join(ROOT, page));

const read = (page: string): string => readFileSync(page, 'utf8');

/** Outside of code blocks. */
const prose = (page: string): string => read(page).replace(/^```.*?^```/gms, '');

/** As GitHub makes them. */
const anchorsOf = (page: string): readonly string[] =>
  [...prose(page).matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );

for (const page of PAGES) {
  test(`links of ${relative(ROOT, page)} lead somewhere`, () => {
    const links = [...prose(page).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)];
    const dead = links.filter(([, path = '', anchor]) => {
      const target = path === '' ? page : resolve(dirname(page), path);
      return !existsSync(target) || (anchor !== undefined && !anchorsOf(target).includes(anchor));
    });
    assert.deepEqual(
      dead.map(([link]) => link),
      [],
    );
  });

  test(`source files that ${relative(ROOT, page)} names exist`, () => {
    const folders = 'agent|cli|common|controller|deploy|examples|lab|proto|scripts|test';
    const named = prose(page).matchAll(new RegExp(`\`((?:${folders})/[\\w./-]+\\.\\w+)\``, 'g'));
    const missing = [...named].map(([, path = '']) => path).filter((path) => !exists(path));
    assert.deepEqual(missing, []);
  });
}

const exists = (path: string): boolean => path.includes('/build/') || existsSync(join(ROOT, path));

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const REPORTER = fileURLToPath(new URL('test-reporter.ts', import.meta.url));
const NAMES = `import { describe, test } from 'node:test';\n`;

const directory = mkdtempSync(join(tmpdir(), 'skein-reporter-'));
after(() => rmSync(directory, { recursive: true }));

/** What `npm test` makes of a test file. */
function report(file: string, body: string) {
  writeFileSync(join(directory, file), NAMES + body);
  // Else the inner run takes itself for a file of this one, and runs nothing.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const argv = ['--test', '--test-timeout=1000', `--test-reporter=${REPORTER}`, file];
  const { status, stdout } = spawnSync(process.execPath, argv, {
    cwd: directory,
    encoding: 'utf8',
    env,
  });
  return { status, stdout };
}

test('names every skipped test with its reason just before the counts', () => {
  const { status, stdout } = report(
    'skips.test.mjs',
    `test('one', { skip: 'no kprobes' }, () => {});
     describe('suite', () => { test('inner', (t) => t.skip('no tracefs')); });
     describe('all of it', { skip: 'no root' }, () => { test('unseen', () => {}); });
     test('runs', () => {});`,
  );
  assert.equal(status, 0);
  const said = stdout.split('\n').filter((line) => line.startsWith('ℹ '));
  assert.deepEqual(said.slice(0, 5), [
    'ℹ 3 tests or whole suites skipped',
    'ℹ skipped: skips.test.mjs: one: no kprobes',
    'ℹ skipped: skips.test.mjs: inner: no tracefs',
    'ℹ skipped: skips.test.mjs: all of it: no root',
    'ℹ tests 3',
  ]);
});

test('a file may have its tests from another one', () => {
  writeFileSync(
    join(directory, 'suite.mjs'),
    `${NAMES}export const suite = () => test('one', () => {});`,
  );
  const { status, stdout } = report(
    'shared.test.mjs',
    `import { suite } from './suite.mjs'; suite();`,
  );
  assert.equal(status, 0, stdout);
});

for (const [what, body] of Object.entries({
  'without tests': '',
  'that exits before its tests': `test('exits', () => process.exit(0)); test('never', () => { throw 1; });`,
  'that exits between its tests': `test('first', () => {});
     test('exits', async () => { await new Promise(setImmediate); process.exit(0); });`,
})) {
  test(`a file ${what} is a failure, though Node lets it pass`, () => {
    const { status, stdout } = report('ends.test.mjs', body);
    assert.equal(status, 1, stdout);
    assert.match(
      stdout,
      /ℹ FAILED: ends\.test\.mjs has no tests, or ended before they did\nℹ tests /,
    );
  });
}

for (const [what, body] of Object.entries({
  'that cannot be loaded': `import './nowhere.mjs';`,
  'that dies': `test('dies', () => process.kill(process.pid, 'SIGKILL'));`,
  'that rejects in the background': `test('lost', () => void Promise.reject(new Error('lost')));`,
  'whose hook fails': `import { after } from 'node:test'; after(() => { throw new Error(); }); test('runs', () => {});`,
  'that takes too long': `test('waits', () => new Promise((done) => setTimeout(done, 2_000)));`,
})) {
  test(`a file ${what} is a failure`, () => {
    assert.equal(report('fails.test.mjs', body).status, 1);
  });
}

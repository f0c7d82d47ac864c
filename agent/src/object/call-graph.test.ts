import assert from 'node:assert/strict';
import test from 'node:test';
import { sitesOfProgram } from './call-graph.ts';
import { readObject } from './read-object.ts';
import { fixture } from './testdata/fixtures.ts';

const sitesOf = (object: string, program: string) =>
  sitesOfProgram(readObject(fixture(object)), program).map(
    (site) => `${site.function}: ${site.key}`,
  );

for (const object of ['branches.o', 'branches-O1.o']) {
  test(`${object}: a program has the sites of its subprograms, global and static`, () => {
    assert.deepEqual(sitesOf(object, 'mixed').slice(0, 2), [
      'global_sub: beta',
      'local_sub: local_key',
    ]);
    assert.ok(sitesOf(object, 'mixed').includes('mixed: plain'));
  });

  test(`${object}: a program has the sites of its callbacks`, () => {
    assert.deepEqual(sitesOf(object, 'calls_back'), ['each: callback_key']);
  });

  test(`${object}: a program has none of other programs, in its section or not`, () => {
    assert.deepEqual(sitesOf(object, 'inlined_again'), ['inlined_again: alpha']);
    assert.deepEqual(sitesOf(object, 'shares_alpha'), ['shares_alpha: alpha']);
    assert.deepEqual(sitesOf(object, 'without_branches'), []);
  });
}

test('a program that is not there has no sites', () => {
  assert.deepEqual(sitesOf('branches.o', 'nobody'), []);
  assert.deepEqual(sitesOf('branches.o', 'local_sub'), [], 'a subprogram is no program');
});

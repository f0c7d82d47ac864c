import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseProgramName } from './program-name.ts';

test('a unit alone, or with a program', () => {
  assert.deepEqual(parseProgramName('guard'), { unit: 'guard' });
  assert.deepEqual(parseProgramName('guard/ingress'), { unit: 'guard', program: 'ingress' });
});

test('anything else is refused', () => {
  for (const text of ['', '/', 'guard/', '/ingress', 'a/b/c', 'a//c']) {
    assert.throws(() => parseProgramName(text), { code: 'SKEIN_INVALID_ARGUMENT' }, text);
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorOfLine } from './error-line.ts';

test('the error of a process comes with its code, once', () => {
  const said = 'SKEIN_ADDRESS_IN_USE: listen: 127.0.0.1:1 is taken. Stop what holds it.';
  for (const line of [said, `error: ${said}\n`]) {
    const error = errorOfLine(line, 'controller', 'Its log is x.log.');
    assert.equal(error?.line, `${said.replace(': ', ': controller: ')} Its log is x.log.`);
  }
});

test('any other line is no error of Skein', () => {
  for (const line of ['', 'exec: not found', 'SKEIN_NONSENSE: what']) {
    assert.equal(errorOfLine(line, 'controller', ''), undefined);
  }
});

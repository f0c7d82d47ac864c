import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { ERROR_CATALOGUE } from './error-catalogue.ts';
import { SkeinError, toSkeinError } from './errors.ts';

test('every entry of the catalogue is one sentence each, with a gRPC status that exists', () => {
  for (const [code, { grpc, meaning, remedy }] of Object.entries(ERROR_CATALOGUE)) {
    assert.match(code, /^SKEIN_[A-Z_]+$/);
    assert.ok(grpc in status, grpc);
    for (const text of [meaning, remedy]) assert.match(text, /^[A-Z].*\.$/s, code);
    assert.ok(!meaning.includes('\n') && !remedy.includes('\n'), code);
  }
});

test('the line holds code, message and remedy; a remedy of the place comes first', () => {
  const error = new SkeinError('SKEIN_CONFLICT', 'key "a"', { remedy: 'Try again.' });
  assert.equal(error.line, 'SKEIN_CONFLICT: key "a". Try again.');
  const remedy = ERROR_CATALOGUE.SKEIN_CONFLICT.remedy;
  assert.equal(new SkeinError('SKEIN_CONFLICT', 'x').line, `SKEIN_CONFLICT: x. ${remedy}`);
});

test('the line is one line, whatever the message quotes', () => {
  const error = new SkeinError('SKEIN_HELPER_DIED', 'it said: a\n  b.\n', { remedy: 'Look.' });
  assert.equal(error.line, 'SKEIN_HELPER_DIED: it said: a b. Look.');
});

test('whatever is thrown becomes a SkeinError, once', () => {
  const error = new SkeinError('SKEIN_CONFIG', 'x');
  assert.equal(toSkeinError(error), error);
  const cause = new TypeError('oops');
  const wrapped = toSkeinError(cause, 'SKEIN_NATS_UNAVAILABLE');
  assert.deepEqual(
    [wrapped.code, wrapped.message, wrapped.cause],
    ['SKEIN_NATS_UNAVAILABLE', 'oops', cause],
  );
  assert.equal(toSkeinError('text').message, 'text');
});

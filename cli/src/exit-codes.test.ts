import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ERROR_CATALOGUE, type ErrorCode } from '#common/error-catalogue.ts';
import { EXIT_CODES, type ExitCode, exitCodeOf } from './exit-codes.ts';

test('scripts can tell apart what they may act on', () => {
  const cases: readonly (readonly [ErrorCode, ExitCode])[] = [
    ['SKEIN_INTERNAL', 1],
    ['SKEIN_STORE_CORRUPT', 1],
    ['SKEIN_INVALID_ARGUMENT', 2],
    ['SKEIN_BAD_SELECTOR', 2],
    ['SKEIN_CONFIG', 2],
    ['SKEIN_WAIT_FAILED', 3],
    ['SKEIN_WAIT_NO_HOSTS', 3],
    ['SKEIN_KEY_NOT_FOUND', 4],
    ['SKEIN_HOST_NOT_FOUND', 4],
    ['SKEIN_CONFLICT', 5],
    ['SKEIN_KEY_EXISTS', 5],
    ['SKEIN_CONTROLLER_UNAVAILABLE', 6],
    ['SKEIN_NATS_UNAVAILABLE', 6],
    ['SKEIN_UNAUTHENTICATED', 7],
  ];
  for (const [error, exit] of cases) assert.equal(exitCodeOf(error), exit, error);
});

test('every error of the catalogue ends in a documented failure', () => {
  const documented = new Set<number>(EXIT_CODES.map(({ code }) => code));
  for (const error of Object.keys(ERROR_CATALOGUE) as ErrorCode[]) {
    assert.notEqual(exitCodeOf(error), 0, error);
    assert.ok(documented.has(exitCodeOf(error)), error);
  }
});

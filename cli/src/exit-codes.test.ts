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
    ['SKEIN_UNKNOWN_STATIC_KEY', 4],
    ['SKEIN_CONFLICT', 5],
    ['SKEIN_KEY_EXISTS', 5],
    ['SKEIN_CONTROLLER_UNAVAILABLE', 6],
    ['SKEIN_NATS_UNAVAILABLE', 6],
    ['SKEIN_UNAUTHENTICATED', 7],
    ['SKEIN_BAD_MANIFEST', 2],
    ['SKEIN_BAD_ROLLOUT', 2],
    ['SKEIN_DIFFERENCES', 2],
    ['SKEIN_ROLLOUT_NOT_COMPLETED', 3],
    ['SKEIN_ROLLOUT_NOT_FOUND', 4],
    ['SKEIN_COHORT_NOT_FOUND', 4],
    ['SKEIN_FROZEN', 8],
    ['SKEIN_KEY_KILLED', 8],
    ['SKEIN_KEY_OWNED', 8],
    ['SKEIN_APPROVAL_REQUIRED', 8],
    ['SKEIN_ROLLOUT_PHASE', 8],
    ['SKEIN_APPLY_INCOMPLETE', 1],
  ];
  for (const [error, exit] of cases) assert.equal(exitCodeOf(error), exit, error);
});

test('2 of diff means differences, and nothing else', () => {
  const codes = Object.keys(ERROR_CATALOGUE) as ErrorCode[];
  assert.deepEqual(
    codes.filter((error) => exitCodeOf(error, 'skein diff') === 2),
    ['SKEIN_DIFFERENCES'],
  );
  assert.equal(exitCodeOf('SKEIN_BAD_MANIFEST', 'skein diff'), 1);
  assert.equal(exitCodeOf('SKEIN_UNAUTHENTICATED', 'skein diff'), 7);
});

test('every error of the catalogue ends in a documented failure', () => {
  const documented = new Set<number>(EXIT_CODES.map(({ code }) => code));
  for (const error of Object.keys(ERROR_CATALOGUE) as ErrorCode[]) {
    assert.notEqual(exitCodeOf(error), 0, error);
    assert.ok(documented.has(exitCodeOf(error)), error);
  }
});

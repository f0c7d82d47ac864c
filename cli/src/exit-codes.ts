import type { ErrorCode } from '#common/error-catalogue.ts';

/** What the exit status of `skein` says. Stable; `skein --help` prints this table. */
export const EXIT_CODES = [
  { code: 0, meaning: 'done' },
  { code: 1, meaning: 'any other error' },
  { code: 2, meaning: 'wrong command line, selector or context file' },
  { code: 3, meaning: 'set --wait: written, but not applied on every matching live host' },
  { code: 4, meaning: 'no such key, host or program' },
  { code: 5, meaning: 'conflict: the etag is stale, or the key exists already' },
  { code: 6, meaning: 'the controller, or NATS behind it, cannot be reached' },
  { code: 7, meaning: 'no token, or one that the controller does not know' },
  { code: 130, meaning: 'interrupted' },
] as const;

export type ExitCode = (typeof EXIT_CODES)[number]['code'];

const BY_ERROR: Partial<Record<ErrorCode, ExitCode>> = {
  SKEIN_INVALID_ARGUMENT: 2,
  SKEIN_BAD_SELECTOR: 2,
  SKEIN_CONFIG: 2,
  SKEIN_WAIT_FAILED: 3,
  SKEIN_WAIT_NO_HOSTS: 3,
  SKEIN_KEY_NOT_FOUND: 4,
  SKEIN_HOST_NOT_FOUND: 4,
  SKEIN_PROGRAM_NOT_FOUND: 4,
  SKEIN_CONFLICT: 5,
  SKEIN_KEY_EXISTS: 5,
  SKEIN_CONTROLLER_UNAVAILABLE: 6,
  SKEIN_NATS_UNAVAILABLE: 6,
  SKEIN_UNAUTHENTICATED: 7,
};

export function exitCodeOf(error: ErrorCode): ExitCode {
  return BY_ERROR[error] ?? 1;
}

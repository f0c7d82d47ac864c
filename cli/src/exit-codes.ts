import type { ErrorCode } from '#common/error-catalogue.ts';

/** What the exit status of `skein` says. Stable; `skein --help` prints this table. */
export const EXIT_CODES = [
  { code: 0, meaning: 'done' },
  { code: 1, meaning: 'any other error' },
  {
    code: 2,
    meaning:
      'wrong command line, selector, context file, manifest or rollout; of diff: there are differences, and nothing else',
  },
  {
    code: 3,
    meaning:
      '--wait: written, but not applied on every matching live host; rollout watch: not completed',
  },
  { code: 4, meaning: 'no such key, static key, host, program, rollout or cohort' },
  { code: 5, meaning: 'conflict: the etag is stale, or the key exists already' },
  { code: 6, meaning: 'the controller, or NATS behind it, cannot be reached' },
  { code: 7, meaning: 'no token, or one that the controller does not know' },
  {
    code: 8,
    meaning: 'refused as things are: frozen, killed, owned by a rollout, not approved, wrong phase',
  },
  { code: 130, meaning: 'interrupted' },
] as const;

export type ExitCode = (typeof EXIT_CODES)[number]['code'];

const BY_ERROR: Partial<Record<ErrorCode, ExitCode>> = {
  SKEIN_INVALID_ARGUMENT: 2,
  SKEIN_BAD_SELECTOR: 2,
  SKEIN_CONFIG: 2,
  SKEIN_BAD_MANIFEST: 2,
  SKEIN_BAD_ROLLOUT: 2,
  SKEIN_DIFFERENCES: 2,
  SKEIN_WAIT_FAILED: 3,
  SKEIN_WAIT_NO_HOSTS: 3,
  SKEIN_ROLLOUT_NOT_COMPLETED: 3,
  SKEIN_KEY_NOT_FOUND: 4,
  SKEIN_UNKNOWN_STATIC_KEY: 4,
  SKEIN_HOST_NOT_FOUND: 4,
  SKEIN_PROGRAM_NOT_FOUND: 4,
  SKEIN_ROLLOUT_NOT_FOUND: 4,
  SKEIN_COHORT_NOT_FOUND: 4,
  SKEIN_CONFLICT: 5,
  SKEIN_KEY_EXISTS: 5,
  SKEIN_CONTROLLER_UNAVAILABLE: 6,
  SKEIN_NATS_UNAVAILABLE: 6,
  SKEIN_UNAUTHENTICATED: 7,
  SKEIN_FROZEN: 8,
  SKEIN_KEY_KILLED: 8,
  SKEIN_KEY_OWNED: 8,
  SKEIN_APPROVAL_REQUIRED: 8,
  SKEIN_ROLLOUT_PHASE: 8,
};

/**
 * @param command that failed, such as `skein diff`: whose exit code 2 says that there are differences, so that what is
 *   2 elsewhere is 1 there
 */
export function exitCodeOf(error: ErrorCode, command = ''): ExitCode {
  const code = BY_ERROR[error] ?? 1;
  const isTaken = command === 'skein diff' && code === 2 && error !== 'SKEIN_DIFFERENCES';
  return isTaken ? 1 : code;
}

import type { ErrorCode } from '#common/error-catalogue.ts';
import { SkeinError } from '#common/errors.ts';
import type { HelperError } from '#proto/gen/skein/v1/helper.ts';

/** HelperError.code → what the user is told. Any other code is a helper of another version. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  BAD_REQUEST: 'SKEIN_INVALID_ARGUMENT',
  NO_SUCH_HANDLE: 'SKEIN_INTERNAL',
  WRONG_KIND: 'SKEIN_INTERNAL',
  SLEEPABLE: 'SKEIN_KERNEL_REFUSED',
  BAD_OBJECT: 'SKEIN_BAD_OBJECT',
  VERIFIER_REJECTED: 'SKEIN_VERIFIER_REJECTED',
  KERNEL_REFUSED: 'SKEIN_KERNEL_REFUSED',
  NO_PRIVILEGE: 'SKEIN_HELPER_PRIVILEGE',
  NO_DEVICE: 'SKEIN_NO_DEVICE',
  NOT_FOUND: 'SKEIN_KERNEL_REFUSED',
  BUSY: 'SKEIN_PIN_CONFLICT',
  LIMIT: 'SKEIN_KERNEL_REFUSED',
  UNSUPPORTED: 'SKEIN_UNSUPPORTED_MACHINE',
  CODE_CHANGED: 'SKEIN_READBACK_MISMATCH',
  MAP_REFUSED: 'SKEIN_KERNEL_REFUSED',
};

/** Where the catalogue's remedy does not fit. */
const REMEDIES: Readonly<Record<string, string>> = {
  SLEEPABLE:
    'Declare the program in a section that is not sleepable: a flip swaps the target of a tail call.',
  BUSY: 'Stop the other agent, or give this one a directory of its own (bpffs).',
};

/** What the helper itself said; the cause of the SkeinError that request() rejects with. */
class HelperRefusal extends Error {
  override readonly name = 'HelperRefusal';
  /** As in HelperError.code of helper.proto. */
  readonly code: string;
  /** Positive; 0 where no system call failed. */
  readonly errno: number;

  constructor(error: HelperError) {
    super(error.message);
    this.code = error.code;
    this.errno = error.sysErrno;
  }
}

export function fromHelperError(error: HelperError): SkeinError {
  const cause = new HelperRefusal(error);
  const code = CODES[error.code];
  if (code === undefined) {
    return new SkeinError('SKEIN_HELPER_PROTOCOL', `helper error of unknown code ${error.code}`, {
      cause,
    });
  }
  const remedy = REMEDIES[error.code];
  const log = error.verifierLog;
  return new SkeinError(code, error.message, {
    cause,
    ...(remedy === undefined ? {} : { remedy }),
    ...(log.length === 0 ? {} : { detail: new TextDecoder().decode(log) }),
  });
}

/** Whether a request was refused because the pin (or other named thing) is not there. */
export function isNotFound(thrown: unknown): boolean {
  return refusalOf(thrown)?.code === 'NOT_FOUND';
}

/** Whether another process has what the request asked for. */
export function isBusy(thrown: unknown): boolean {
  return refusalOf(thrown)?.code === 'BUSY';
}

/** Whether the kernel cannot do this to this kind of thing, as BPF_LINK_DETACH to a tracing link. */
export function isUnsupported(thrown: unknown): boolean {
  return refusalOf(thrown)?.errno === EOPNOTSUPP;
}

const EOPNOTSUPP = 95;

function refusalOf(thrown: unknown): HelperRefusal | undefined {
  const cause = thrown instanceof SkeinError ? thrown.cause : undefined;
  return cause instanceof HelperRefusal ? cause : undefined;
}

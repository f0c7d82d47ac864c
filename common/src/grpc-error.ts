import { Metadata, status } from '@grpc/grpc-js';
import { ERROR_CATALOGUE } from './error-catalogue.ts';
import { isErrorCode, SkeinError, toSkeinError } from './errors.ts';

/** Trailing metadata that carries what a gRPC status cannot, so that the other side can rebuild the SkeinError. */
const CODE_METADATA = 'skein-code';
const REMEDY_METADATA = 'skein-remedy';

/** What a gRPC call ends with: the shape that grpc-js takes from a handler and gives to a client. */
export interface GrpcFailure {
  readonly code: status;
  readonly details: string;
  readonly metadata: Metadata;
}

/** The gRPC status of a SkeinError: the catalogue's code, its one line, and the metadata to rebuild it. */
export function errorToGrpc(error: SkeinError): GrpcFailure {
  const metadata = new Metadata();
  metadata.set(CODE_METADATA, error.code);
  metadata.set(REMEDY_METADATA, toAscii(error.remedy));
  return {
    code: status[ERROR_CATALOGUE[error.code].grpc],
    details: error.line.toWellFormed(),
    metadata,
  };
}

/**
 * The SkeinError that `server` (an address, for the message) meant by a failed call. A failure without Skein's metadata never reached a Skein
 * handler: UNAVAILABLE and DEADLINE_EXCEEDED mean that the controller cannot be reached, all else is a defect.
 */
export function errorFromGrpc(thrown: unknown, server: string): SkeinError {
  if (!isFailure(thrown)) return toSkeinError(thrown);
  const code = String(thrown.metadata.get(CODE_METADATA)[0] ?? '');
  if (!isErrorCode(code)) {
    const away = thrown.code === status.UNAVAILABLE || thrown.code === status.DEADLINE_EXCEEDED;
    return new SkeinError(
      away ? 'SKEIN_CONTROLLER_UNAVAILABLE' : 'SKEIN_INTERNAL',
      `${server}: ${status[thrown.code]}: ${thrown.details}`,
      { cause: thrown },
    );
  }
  const remedy = fromAscii(String(thrown.metadata.get(REMEDY_METADATA)[0] ?? ''));
  const message = withoutAffixes(thrown.details, `${code}: `, `. ${remedy}`);
  return new SkeinError(code, message, { remedy, cause: thrown });
}

function isFailure(thrown: unknown): thrown is GrpcFailure {
  return thrown instanceof Error && 'details' in thrown && 'metadata' in thrown;
}

function withoutAffixes(text: string, prefix: string, suffix: string): string {
  const start = text.startsWith(prefix) ? prefix.length : 0;
  const end = text.endsWith(suffix) ? text.length - suffix.length : text.length;
  return text.slice(start, end);
}

/** Metadata values are printable ASCII; all else, and the escape itself, is percent-encoded. */
function toAscii(text: string): string {
  return text.toWellFormed().replace(/[^\x20-\x7e]|%/gu, encodeURIComponent);
}

function fromAscii(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

import { type ServiceError, status } from '@grpc/grpc-js';
import { SkeinError } from '#common/errors.ts';
import { errorFromGrpc } from '#common/grpc-error.ts';
import type { GrpcTarget } from './grpc-target.ts';
import { tlsTrouble } from './tls-trouble.ts';

/** Whatever a call failed with, as a SkeinError; where the controller was not reached, in words for people. */
export function clientError(
  thrown: unknown,
  { server, tls }: Pick<GrpcTarget, 'server' | 'tls'>,
): SkeinError {
  const error = errorFromGrpc(thrown, server);
  if (!isServiceError(thrown) || !isAway(error, thrown)) return error;
  const { why, ...remedy } = tlsTrouble(thrown.details, tls) ?? { why: reasonIn(thrown) };
  return new SkeinError('SKEIN_CONTROLLER_UNAVAILABLE', `controller at ${server}: ${why}`, {
    cause: thrown,
    ...remedy,
  });
}

/** A stream that the peer's end tore down may also come as INTERNAL or CANCELLED (HTTP/2 RST_STREAM). */
function isAway(error: SkeinError, { code, details }: ServiceError): boolean {
  if (error.code === 'SKEIN_CONTROLLER_UNAVAILABLE') return true;
  const torn = code === status.INTERNAL || code === status.CANCELLED;
  return error.code === 'SKEIN_INTERNAL' && torn && /RST_STREAM|Call cancelled/.test(details);
}

/** What the system said, out of the longer sentence that grpc-js packs it into. */
function reasonIn({ code, details }: ServiceError): string {
  if (code === status.DEADLINE_EXCEEDED) return 'no answer in time';
  return /(?:connect|getaddrinfo) [A-Z]\w+ [^\s,]*\w/.exec(details)?.[0] ?? details;
}

function isServiceError(thrown: unknown): thrown is ServiceError {
  return thrown instanceof Error && 'code' in thrown && 'details' in thrown;
}

import { ErrorCode, NatsError } from 'nats';
import { SkeinError } from '#common/errors.ts';
import { noAnswer } from './deadline.ts';

/** JetStream's error for a stream that it does not have. */
const STREAM_NOT_FOUND = 10059;

export function isStreamGone(error: unknown): boolean {
  return error instanceof NatsError && error.api_error?.err_code === STREAM_NOT_FOUND;
}

/** Any failure of a JetStream call, for people: SKEIN_STORE_REFUSED without the stream, else SKEIN_NATS_UNAVAILABLE. */
export function natsFailure(what: string, cause: unknown): SkeinError {
  if (cause instanceof SkeinError) return cause;
  if (cause instanceof NatsError && cause.code === ErrorCode.Timeout) return noAnswer(what);
  const code = isStreamGone(cause) ? 'SKEIN_STORE_REFUSED' : 'SKEIN_NATS_UNAVAILABLE';
  const why = cause instanceof Error ? cause.message : String(cause);
  return new SkeinError(code, `${what}: ${why}`, { cause });
}

import { SkeinError } from '#common/errors.ts';

/** JetStream reads answer in milliseconds; after this, the server is as good as away. */
export const READ_DEADLINE_MS = 10_000;

/**
 * `promise`, unless it takes longer than `ms`: what waits for a server that went away may wait for ever.
 *
 * @throws SkeinError SKEIN_NATS_UNAVAILABLE naming `what`
 */
export async function withDeadline<T>(
  what: string,
  promise: Promise<T>,
  ms: number = READ_DEADLINE_MS,
): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(noAnswer(what)), ms);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

export function noAnswer(what: string): SkeinError {
  return new SkeinError('SKEIN_NATS_UNAVAILABLE', `${what}: no answer in time`);
}

import { type KV, NatsError } from 'nats';
import { SkeinError } from '#common/errors.ts';
import type { PutResult } from '../keys/key-store.ts';
import type { Link } from './link.ts';

/** JetStream's error for an unmet Nats-Expected-Last-Subject-Sequence or Nats-Expected-Last-Sequence. */
const WRONG_LAST_SEQUENCE = 10071;

/**
 * Writes if the newest revision of `name` is still `previousRevision` (0: none).
 *
 * @param what is written, for the message
 * @throws SkeinError SKEIN_NATS_UNAVAILABLE; whether the value was stored is then unknown, unless there was no connection
 */
export function compareAndSet(
  link: Link,
  what: string,
  bucket: KV,
  name: string,
  value: Uint8Array,
  previousRevision: bigint,
): Promise<PutResult> {
  const previousSeq = Number(previousRevision);
  return conditionally(link, what, () => bucket.put(name, value, { previousSeq }));
}

/** What a conditional write, which gives its sequence, comes to; throws as {@link compareAndSet} does. */
export async function conditionally(
  link: Link,
  what: string,
  write: () => Promise<number>,
): Promise<PutResult> {
  // Not sent at all: a plain refusal, not an unknown outcome.
  link.assertUp();
  try {
    return { kind: 'stored', revision: BigInt(await link.whileUp(write)) };
  } catch (error) {
    if (error instanceof NatsError && error.api_error?.err_code === WRONG_LAST_SEQUENCE) {
      return { kind: 'conflict' };
    }
    throw unknownOutcome(what, error);
  }
}

function unknownOutcome(what: string, cause: unknown): SkeinError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new SkeinError(
    'SKEIN_NATS_UNAVAILABLE',
    `${what}: NATS did not confirm the write (${why}); it may have been stored`,
    { cause, remedy: 'Repeat the request with the same request id: it is carried out once.' },
  );
}

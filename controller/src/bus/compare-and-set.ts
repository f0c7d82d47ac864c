import { ErrorCode, type KV, NatsError } from 'nats';
import { SkeinError } from '#common/errors.ts';
import type { PutResult } from '../keys/key-store.ts';
import { withDeadline } from './deadline.ts';
import type { Link } from './link.ts';
import { isStreamGone } from './nats-failure.ts';

/** JetStream's error for an unmet Nats-Expected-Last-Subject-Sequence or Nats-Expected-Last-Sequence. */
const WRONG_LAST_SEQUENCE = 10071;
/**
 * JetStream's errors for what passes by itself: not available, not the leader, the expected sequence not known yet,
 * another write of the same subject under way, too many requests. Their HTTP-like status tells nothing: it is 503 as
 * well for a stream that is full (nats-server, server/errors.json).
 */
const PASSING: readonly number[] = [10008, 10009, 10163, 10164, 10167];
/** A server that does not have a stream says so at once. */
const GONE_DEADLINE_MS = 1_000;

/**
 * Writes if the newest revision of `name` is still `previousRevision` (0: none).
 *
 * @param what is written, for the message
 * @throws SkeinError SKEIN_STORE_REFUSED; SKEIN_NATS_UNAVAILABLE: whether the value was stored is then unknown, unless
 *   there was no connection, or the message says that it was not
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
  return conditionally(link, what, bucket, () => bucket.put(name, value, { previousSeq }));
}

/** What a conditional write to `bucket`, which gives its sequence, comes to; throws as {@link compareAndSet} does. */
export async function conditionally(
  link: Link,
  what: string,
  bucket: KV,
  write: () => Promise<number>,
): Promise<PutResult> {
  // Not sent at all: a plain refusal, not an unknown outcome.
  link.assertUp();
  try {
    return { kind: 'stored', revision: BigInt(await link.whileUp(write)) };
  } catch (error) {
    if (!(error instanceof NatsError)) throw unknownOutcome(what, error);
    if (error.api_error?.err_code === WRONG_LAST_SEQUENCE) return { kind: 'conflict' };
    if (error.api_error) {
      const { err_code, description } = error.api_error;
      const isPassing = PASSING.some((passing) => passing === err_code);
      throw (isPassing ? notTaken : refused)(what, description, error);
    }
    if (error.code !== ErrorCode.NoResponders) throw unknownOutcome(what, error);
    // So it is without the stream; and for seconds while the replicas of one that is there elect a leader.
    if (await isGone(link, bucket)) throw refused(what, 'no such stream', error);
    throw notTaken(what, 'nobody answers for the stream', error);
  }
}

/** Known only when the server says so: while there is no leader, nobody answers this either. */
async function isGone(link: Link, bucket: KV): Promise<boolean> {
  try {
    const status = link.whileUp(() => bucket.status());
    await withDeadline('nats: asking for the stream', status, GONE_DEADLINE_MS);
    return false;
  } catch (error) {
    return isStreamGone(error);
  }
}

/** JetStream said no, and will again: nothing was stored. */
function refused(what: string, why: string, cause: unknown): SkeinError {
  const message = `${what}: JetStream refused the write (${why})`;
  return new SkeinError('SKEIN_STORE_REFUSED', message, { cause });
}

/** JetStream cannot take it at this moment: nothing was stored. */
function notTaken(what: string, why: string, cause: unknown): SkeinError {
  return new SkeinError(
    'SKEIN_NATS_UNAVAILABLE',
    `${what}: JetStream does not take writes now (${why}); it was not stored`,
    {
      cause,
      remedy: 'Try again: replicas elect a leader within seconds if most of them are up.',
    },
  );
}

function unknownOutcome(what: string, cause: unknown): SkeinError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new SkeinError(
    'SKEIN_NATS_UNAVAILABLE',
    `${what}: NATS did not confirm the write (${why}); it may have been stored`,
    { cause, remedy: 'Repeat the request with the same request id: it is carried out once.' },
  );
}

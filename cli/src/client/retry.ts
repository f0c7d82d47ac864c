import { setTimeout as delay } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';

/** Waits before the second and the third try; a controller that restarts is away for about that long. */
const BACKOFF_MS = [150, 600];

/**
 * Tries again while the answer is UNAVAILABLE, at most three times in all and never past the deadline. Only for
 * requests that may safely be repeated: reads, and mutations with a request id.
 *
 * @param deadline epoch milliseconds
 */
export async function retryUnavailable<T>(
  attempt: () => Promise<T>,
  deadline: number,
  waitMs: (ms: number) => Promise<unknown> = delay,
): Promise<T> {
  for (const backoff of BACKOFF_MS) {
    try {
      return await attempt();
    } catch (error) {
      if (!isUnavailable(error) || Date.now() + backoff >= deadline) throw error;
    }
    await waitMs(backoff);
  }
  return attempt();
}

function isUnavailable(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === status.UNAVAILABLE;
}

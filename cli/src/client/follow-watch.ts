import type { Clock } from '#common/clock.ts';
import { toSkeinError } from '#common/errors.ts';

/** Whether a broken watch is worth opening again. */
function isTransient(error: unknown): boolean {
  const { code } = toSkeinError(error);
  return code === 'SKEIN_CONTROLLER_UNAVAILABLE' || code === 'SKEIN_NATS_UNAVAILABLE';
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

interface FollowOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Called once for each break, before the pause. */
  readonly onBreak: (why: string) => void;
}

/**
 * A watch that outlives breaks: whenever it ends or the controller goes away, it is opened anew, so the state of
 * everything watched comes again. Ends when the signal aborts; throws what another try cannot cure.
 */
export async function* followWatch<T>(
  open: () => AsyncIterable<T>,
  { clock, signal, onBreak }: FollowOptions,
): AsyncGenerator<T> {
  let pauseMs = FIRST_PAUSE_MS;
  while (!signal.aborted) {
    try {
      for await (const item of open()) {
        pauseMs = FIRST_PAUSE_MS;
        yield item;
      }
      if (!signal.aborted) onBreak('the controller ended the watch');
    } catch (error) {
      if (!isTransient(error)) throw error;
      onBreak(toSkeinError(error).message);
    }
    await pause(pauseMs, clock, signal);
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}

function pause(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const cancel = clock.after(ms, finish);
    signal.addEventListener('abort', finish, { once: true });
    function finish() {
      cancel();
      signal.removeEventListener('abort', finish);
      resolve();
    }
  });
}

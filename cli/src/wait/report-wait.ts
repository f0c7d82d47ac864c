import { SkeinError } from '#common/errors.ts';
import type { KeyView } from '../client/skein-client.ts';
import { keyDocument } from '../output/shapes.ts';
import type { Session } from '../session.ts';
import { showProgress } from './show-progress.ts';
import { waitForHosts } from './wait-for-hosts.ts';
import { failureMessage, remarks, summaryLine, waitDocument } from './wait-report.ts';

/** What `--wait` waits for without `--timeout`. */
export const WAIT_MS = 30_000;

interface Waited {
  /** The answer to the change. */
  readonly written: KeyView;
  /** As given with the change; empty: every host that binds the key. */
  readonly selector: string;
  /** When the change was sent, by the monotonic clock. */
  readonly sentNs: bigint;
  readonly timeoutMs: number;
  /** What was done, in one line without an end. */
  readonly done: string;
}

/**
 * Waits for the hosts that a change concerns, shows how they come on, and prints the result.
 *
 * @throws SkeinError SKEIN_WAIT_FAILED, SKEIN_WAIT_NO_HOSTS
 */
export async function waitAndReport(
  { client, clock, output }: Session,
  { written, selector, sentNs, timeoutMs, done }: Waited,
): Promise<void> {
  const { name } = written.desired;
  const progress = showProgress(output.progress);
  let state: Awaited<ReturnType<typeof waitForHosts>>;
  try {
    state = await waitForHosts({
      client,
      clock,
      written,
      selector,
      sentNs,
      timeoutMs,
      onChange: progress.changed,
      onBreak: progress.broken,
    });
  } finally {
    progress.end();
  }
  for (const remark of remarks(state)) output.note(remark);
  output.result(
    { ...keyDocument(written), wait: waitDocument(state) },
    () => `${done}: ${summaryLine(state)}\n`,
  );
  if (!state.started) {
    throw new SkeinError(
      'SKEIN_WAIT_FAILED',
      `${name} generation ${state.generation}: the controller told nothing of it in time`,
      {
        remedy: 'The change is written; look at it with skein key get, or give a longer --timeout.',
      },
    );
  }
  if (state.hosts.size === 0) {
    const where = selector === '' ? '' : ` with selector ${selector}`;
    throw new SkeinError('SKEIN_WAIT_NO_HOSTS', `no live host${where} binds ${name}`);
  }
  const failure = failureMessage(state);
  if (failure !== undefined) throw new SkeinError('SKEIN_WAIT_FAILED', failure);
}

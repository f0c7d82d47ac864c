import { type Command, Option } from 'commander';
import { SkeinError } from '#common/errors.ts';
import { isOver, type RolloutState } from '#common/rollout/rollout.ts';
import { followWatch } from '../../client/follow-watch.ts';
import type { RolloutView } from '../../client/rollout-calls.ts';
import { formatDuration } from '../../output/quantities.ts';
import { describeGoal, describeStep, whyNot } from '../../output/rollout-words.ts';
import { RowPrinter } from '../../output/row-printer.ts';
import { ROLLOUT_COLUMNS, rolloutRow } from '../../output/watch-rows.ts';
import { parseDuration } from '../../parse/duration.ts';
import { examples } from '../../program.ts';
import { type Runtime, type Session, withSession } from '../../session.ts';
import { noteBreak } from '../watch.ts';
import { showRollout } from './show.ts';

export function timeoutOption(flag: string): Option {
  return new Option('--timeout <duration>', `how long ${flag} follows it`)
    .default(undefined, 'until it is over')
    .argParser((text) => parseDuration(text, '--timeout'));
}

export function installWatch(rollout: Command, runtime: Runtime): void {
  rollout
    .command('watch')
    .description('follow a rollout until it is over, or all of them until interrupted')
    .argument('[rollout]', 'its id, or the key that it is of; absent: all that are not over')
    .addOption(timeoutOption('watch'))
    .addHelpText(
      'after',
      `
On a terminal the view is drawn over itself; elsewhere a line is printed per change. With -o json or jsonl
a line per change, with -o yaml a document behind "---".
Exit code 0 when it was completed; 3 when it was aborted, rolled back, or not over in time.
${examples('skein rollout watch net.drop_icmp', 'skein rollout watch net.drop_icmp --timeout 2h -o jsonl')}`,
    )
    .action(async (id: string | undefined, options: WatchOptions, command: Command) => {
      await withSession(runtime, command, async (session) => {
        if (id === undefined) await watchAll(session, options.timeout);
        else await followRollout(session, id, options.timeout);
      });
    });
}

interface WatchOptions {
  readonly timeout?: number;
}

async function watchAll(session: Session, timeoutMs: number | undefined): Promise<void> {
  const printer = new RowPrinter(session.output, ROLLOUT_COLUMNS);
  for await (const view of rolloutViews(session, '', timeoutMs)) {
    const now = session.clock.now();
    printer.print(rolloutRow(view, now), now);
  }
}

/**
 * Shows a rollout while it goes on.
 *
 * @throws SkeinError SKEIN_ROLLOUT_NOT_COMPLETED when it ended otherwise, or not in time
 */
export async function followRollout(
  session: Session,
  id: string,
  timeoutMs: number | undefined,
): Promise<void> {
  const show = showRollout(session);
  let last: RolloutView | undefined;
  try {
    for await (const view of rolloutViews(session, id, timeoutMs)) {
      last = view;
      show.changed(view);
      if (isAtEnd(view.record.state)) break;
    }
  } finally {
    show.end();
  }
  const failure = failureOf(last, id, timeoutMs, session.clock.now());
  if (failure !== undefined) throw new SkeinError('SKEIN_ROLLOUT_NOT_COMPLETED', failure);
}

/** Nothing happens to it any more, unless somebody has it tried again. */
function isAtEnd(state: RolloutState): boolean {
  return isOver(state) || (state.phase === 'aborted' && !state.rollingBack);
}

function failureOf(
  view: RolloutView | undefined,
  id: string,
  timeoutMs: number | undefined,
  now: Date,
): string | undefined {
  if (!view) return `${id}: the controller told nothing of it in time`;
  const { record } = view;
  const { phase } = record.state;
  if (phase === 'completed') return undefined;
  const why = whyNot(record, now);
  const because = why === '' ? '' : `: ${why}`;
  const what = `${record.id}, ${describeGoal(record)},`;
  if (isAtEnd(record.state))
    return `${what} was ${phase} in step ${describeStep(record)}${because}`;
  const after = timeoutMs === undefined ? '' : ` after ${formatDuration(timeoutMs)}`;
  return `${what} is ${phase} in step ${describeStep(record)}${after}${because}`;
}

/** The views of a watch whose breaks are bridged, until the time is up. */
async function* rolloutViews(
  { client, clock, output }: Session,
  id: string,
  timeoutMs: number | undefined,
): AsyncGenerator<RolloutView> {
  const end = new AbortController();
  const { signal } = end;
  const cancel = timeoutMs === undefined ? undefined : clock.after(timeoutMs, () => end.abort());
  try {
    yield* followWatch(() => client.rollouts.watch(id, signal), {
      clock,
      signal,
      onBreak: (why) => noteBreak(output, why),
    });
  } finally {
    cancel?.();
    end.abort();
  }
}

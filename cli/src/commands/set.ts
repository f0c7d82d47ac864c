import { Argument, type Command } from 'commander';
import { SkeinError } from '#common/errors.ts';
import type { KeyView, SetKey } from '../client/skein-client.ts';
import { keyDocument } from '../output/shapes.ts';
import { parseDuration } from '../parse/duration.ts';
import { ON_OFF, onOff, parsePercent } from '../parse/values.ts';
import { examples } from '../program.ts';
import { type CommandInstaller, type Session, withSession } from '../session.ts';
import { showProgress } from '../wait/show-progress.ts';
import { waitForHosts } from '../wait/wait-for-hosts.ts';
import { failureMessage, remarks, summaryLine, waitDocument } from '../wait/wait-report.ts';
import { etagOption, keyArgument, reasonOption, validateOnlyOption } from './key.ts';

interface SetOptions {
  readonly selector: string;
  readonly percent?: number;
  readonly wait: boolean;
  readonly timeout: number;
  readonly reason: string;
  readonly etag: string;
  readonly validateOnly: boolean;
}

const TIMEOUT_MS = 30_000;

export const installSet: CommandInstaller = (program, runtime) => {
  program
    .command('set')
    .description('switch a fleet key on or off')
    .addArgument(keyArgument())
    .addArgument(new Argument('<value>', 'the value to set').choices(ON_OFF))
    .option('--selector <selector>', 'only on these hosts, as a rule before the others', '')
    .option('--percent <percent>', 'only on this part of the matching hosts, 0..100', (text) =>
      parsePercent(text, '--percent'),
    )
    .option('--wait', 'until every matching live host has applied it and read it back', false)
    .option('--timeout <duration>', 'how long --wait waits (default: 30s)', (text) =>
      parseDuration(text, '--timeout'),
    )
    .addOption(reasonOption())
    .addOption(etagOption())
    .addOption(validateOnlyOption())
    .addHelpText(
      'after',
      `
Without --selector and --percent the default is set and every rule goes.
Latencies run from sending the change to seeing the acknowledgement, by the clock of this machine.
${examples(
  'skein set net.drop_icmp on --wait',
  'skein set net.drop_icmp on --selector "zone in (a,b),tier!=db" --reason "incident 12"',
  'skein set net.drop_icmp on --percent 10 --wait --timeout 2m',
  'skein set net.drop_icmp off --etag "$(skein key get net.drop_icmp -o json | jq -r .etag)"',
)}`,
    )
    .action(async (name: string, value: string, options: SetOptions, command: Command) => {
      if (options.wait && options.validateOnly) {
        throw new SkeinError(
          'SKEIN_INVALID_ARGUMENT',
          '--wait and --validate-only exclude each other',
          {
            remedy: 'Leave one of them out.',
          },
        );
      }
      await withSession(runtime, command, (session) => set(session, name, value === 'on', options));
    });
};

async function set(
  session: Session,
  name: string,
  value: boolean,
  options: SetOptions,
): Promise<void> {
  const { selector, percent, etag, reason, validateOnly } = options;
  const request: SetKey = {
    name,
    value,
    selector,
    ...(percent === undefined ? {} : { percent }),
    etag,
    reason,
    validateOnly,
  };
  const sentNs = session.clock.monotonicNs();
  const written = await session.client.setKey(request);
  if (options.wait) {
    await waitAndReport(session, request, written, sentNs, options.timeout ?? TIMEOUT_MS);
  } else {
    session.output.result(keyDocument(written), () => `${describeSet(request, written)}\n`);
  }
}

async function waitAndReport(
  { client, clock, output }: Session,
  request: SetKey,
  written: KeyView,
  sentNs: bigint,
  timeoutMs: number,
): Promise<void> {
  const progress = showProgress(output.progress);
  let state: Awaited<ReturnType<typeof waitForHosts>>;
  try {
    state = await waitForHosts({
      client,
      clock,
      written,
      selector: request.selector,
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
    () => `${describeSet(request, written)}: ${summaryLine(state)}\n`,
  );
  if (!state.started) {
    throw new SkeinError(
      'SKEIN_WAIT_FAILED',
      `${request.name} generation ${state.generation}: the controller told nothing of it in time`,
      {
        remedy: 'The change is written; look at it with skein key get, or give a longer --timeout.',
      },
    );
  }
  if (state.hosts.size === 0) {
    const where = request.selector === '' ? '' : ` with selector ${request.selector}`;
    throw new SkeinError('SKEIN_WAIT_NO_HOSTS', `no live host${where} binds ${request.name}`);
  }
  const failure = failureMessage(state);
  if (failure !== undefined) throw new SkeinError('SKEIN_WAIT_FAILED', failure);
}

function describeSet(request: SetKey, { desired }: KeyView): string {
  const part = request.percent === undefined ? '' : ` on ${request.percent}%`;
  const where = request.selector === '' ? '' : ` where ${request.selector}`;
  const done = request.validateOnly ? 'would be set' : 'set';
  return `${request.name} ${done} ${onOff(request.value)}${part}${where}, generation ${desired.generation}`;
}

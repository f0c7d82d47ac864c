import { Argument, type Command } from 'commander';
import type { KeyView, SetKey } from '../client/skein-client.ts';
import { formatTime } from '../output/quantities.ts';
import { butKilled } from '../output/rules.ts';
import { keyDocument } from '../output/shapes.ts';
import { parseSentDuration } from '../parse/duration.ts';
import { ON_OFF, onOff, parsePercent } from '../parse/values.ts';
import { examples } from '../program.ts';
import { type CommandInstaller, type Session, withSession } from '../session.ts';
import { WAIT_MS, waitAndReport } from '../wait/report-wait.ts';
import { etagOption, keyArgument, reasonOption, validateOnlyOption } from './options.ts';
import { addWaitOptions, refuseWaitForNothing } from './wait-options.ts';

interface SetOptions {
  readonly selector: string;
  readonly percent?: number;
  readonly ttl?: number;
  readonly wait: boolean;
  readonly timeout?: number;
  readonly reason: string;
  readonly etag: string;
  readonly validateOnly: boolean;
}

export const installSet: CommandInstaller = (program, runtime) => {
  const command = program
    .command('set')
    .description('switch a fleet key on or off')
    .addArgument(keyArgument())
    .addArgument(new Argument('<value>', 'the value to set').choices(ON_OFF))
    .option('--selector <selector>', 'only on these hosts, as a rule before the others', '')
    .option('--percent <percent>', 'only on this part of the matching hosts, 0..100', (text) =>
      parsePercent(text, '--percent'),
    )
    .option('--ttl <duration>', 'after so long it goes back by itself to what it was', (text) =>
      parseSentDuration(text, '--ttl'),
    );
  addWaitOptions(command)
    .addOption(reasonOption())
    .addOption(etagOption('the key'))
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
  'skein set net.trace on --selector host=web-1 --ttl 2h --reason "looking at web-1"',
  'skein set net.drop_icmp off --etag "$(skein key get net.drop_icmp -o json | jq -r .etag)"',
)}`,
    )
    .action(async (name: string, value: string, options: SetOptions, command: Command) => {
      refuseWaitForNothing(options);
      await withSession(runtime, command, (session) => set(session, name, value === 'on', options));
    });
};

async function set(
  session: Session,
  name: string,
  value: boolean,
  options: SetOptions,
): Promise<void> {
  const { selector, percent, ttl, etag, reason, validateOnly } = options;
  const request: SetKey = {
    name,
    value,
    selector,
    ...(percent === undefined ? {} : { percent }),
    ...(ttl === undefined ? {} : { ttlMs: ttl }),
    etag,
    reason,
    validateOnly,
  };
  const sentNs = session.clock.monotonicNs();
  const written = await session.client.setKey(request);
  if (options.wait) {
    await waitAndReport(session, {
      written,
      selector,
      sentNs,
      timeoutMs: options.timeout ?? WAIT_MS,
      done: describeSet(request, written),
    });
  } else {
    session.output.result(keyDocument(written), () => `${describeSet(request, written)}\n`);
  }
}

function describeSet(request: SetKey, { desired }: KeyView): string {
  const part = request.percent === undefined ? '' : ` for ${request.percent}%`;
  const where = request.selector === '' ? '' : ` where ${request.selector}`;
  const done = request.validateOnly ? 'would be set' : 'set';
  const until = desired.expiry ? ` until ${formatTime(desired.expiry.at)}` : '';
  const what = `${done} ${onOff(request.value)}${part}${where}${until}`;
  return `${request.name} ${what}${butKilled(desired)}, generation ${desired.generation}`;
}

import { Option } from 'commander';
import type { Control } from '#common/control/control.ts';
import { SkeinError } from '#common/errors.ts';
import { controlDocument } from '../output/control-shapes.ts';
import { keyDocument } from '../output/shapes.ts';
import { ON_OFF } from '../parse/values.ts';
import { examples } from '../program.ts';
import { type CommandInstaller, type Session, withSession } from '../session.ts';
import { WAIT_MS, waitAndReport } from '../wait/report-wait.ts';
import { waitForKill } from '../wait/wait-for-kill.ts';
import { keyArgument, reasonOption, validateOnlyOption } from './options.ts';
import { addWaitOptions, refuseWaitForNothing, type WaitOptions } from './wait-options.ts';
import { noteBreak } from './watch.ts';

interface KillOptions extends WaitOptions {
  readonly all: boolean;
  readonly to: (typeof ON_OFF)[number];
  readonly reason: string;
  readonly validateOnly: boolean;
}

export const installKill: CommandInstaller = (program, runtime) => {
  const command = program
    .command('kill')
    .description(
      'force a fleet key, or all of them, on every host, whatever rules and rollouts say',
    )
    .addArgument(keyArgument().argOptional())
    .option('--all', 'every key there is, and every key that is made until revived', false)
    .addOption(new Option('--to <value>', 'what is forced').choices(ON_OFF).default('off'));
  addWaitOptions(command)
    .addOption(reasonOption())
    .addOption(validateOnlyOption())
    .addHelpText(
      'after',
      `
Pauses the rollout that owns the key. Works during a freeze.
${examples(
  'skein kill net.drop_icmp --reason "incident 12" --wait',
  'skein kill --all --reason "kernel bug"',
  'skein kill net.safe_mode --to on',
)}`,
    )
    .action(async (key: string | undefined, options: KillOptions) => {
      refuseWaitForNothing(options);
      const name = oneOrAll(key, options);
      await withSession(runtime, command, (session) =>
        name === undefined ? killAll(session, options) : killOne(session, name, options),
      );
    });
};

export const installRevive: CommandInstaller = (program, runtime) => {
  const command = program
    .command('revive')
    .description('end a kill: rules decide again; a paused rollout stays paused')
    .addArgument(keyArgument().argOptional())
    .option('--all', 'end a kill of all keys; those killed one by one stay killed', false);
  addWaitOptions(command)
    .addOption(reasonOption())
    .addOption(validateOnlyOption())
    .addHelpText('after', examples('skein revive net.drop_icmp --wait', 'skein revive --all'))
    .action(async (key: string | undefined, options: Omit<KillOptions, 'to'>) => {
      refuseWaitForNothing(options);
      const name = oneOrAll(key, options);
      if (name === undefined && options.wait) {
        throw new SkeinError('SKEIN_INVALID_ARGUMENT', '--wait: waits for one key', {
          remedy: 'See how far all of them are with skein key list.',
        });
      }
      await withSession(runtime, command, (session) =>
        name === undefined ? reviveAll(session, options) : reviveOne(session, name, options),
      );
    });
};

/** @returns undefined for all keys */
function oneOrAll(key: string | undefined, { all }: { readonly all: boolean }): string | undefined {
  if ((key === undefined) !== all) {
    throw new SkeinError('SKEIN_INVALID_ARGUMENT', 'give either KEY or --all', {
      remedy: 'Name the key, or say --all for every key there is.',
    });
  }
  return key;
}

async function killOne(session: Session, name: string, options: KillOptions): Promise<void> {
  const { reason, validateOnly } = options;
  const sentNs = session.clock.monotonicNs();
  const value = options.to === 'on';
  const written = await session.client.killKey({ name, value, reason, validateOnly });
  const done = validateOnly ? 'would be killed' : 'killed';
  const text = `${name} ${done}, forced ${options.to}, generation ${written.desired.generation}`;
  await finish(session, options, { written, sentNs, done: text });
}

async function reviveOne(
  session: Session,
  name: string,
  options: Omit<KillOptions, 'to'>,
): Promise<void> {
  const { reason, validateOnly } = options;
  const sentNs = session.clock.monotonicNs();
  const written = await session.client.reviveKey({ name, reason, validateOnly });
  const done = validateOnly ? 'would be revived' : 'revived';
  const text = `${name} ${done}, generation ${written.desired.generation}`;
  await finish(session, options, { written, sentNs, done: text });
}

async function finish(
  session: Session,
  { wait, timeout = WAIT_MS }: WaitOptions,
  change: Pick<Parameters<typeof waitAndReport>[1], 'written' | 'sentNs' | 'done'>,
): Promise<void> {
  if (wait) await waitAndReport(session, { ...change, selector: '', timeoutMs: timeout });
  else session.output.result(keyDocument(change.written), () => `${change.done}\n`);
}

async function killAll(session: Session, options: KillOptions): Promise<void> {
  const { reason, to, validateOnly, wait, timeout = WAIT_MS } = options;
  const value = to === 'on';
  const control = await session.client.control.killAll({ value, reason, validateOnly });
  if (!wait) {
    const done = validateOnly ? 'would be killed' : 'killed';
    reportAll(session, control, `every key ${done}, forced ${to}`);
    return;
  }
  const { summary, failure } = await waitForKill(session, timeout, (why) =>
    noteBreak(session.output, why),
  );
  reportAll(session, control, `every key killed, forced ${to}: ${summary}`);
  if (failure !== undefined) throw new SkeinError('SKEIN_WAIT_FAILED', failure);
}

async function reviveAll(
  session: Session,
  { reason, validateOnly }: Pick<KillOptions, 'reason' | 'validateOnly'>,
): Promise<void> {
  const control = await session.client.control.reviveAll({ reason, validateOnly });
  reportAll(session, control, `every key ${validateOnly ? 'would be revived' : 'revived'}`);
}

function reportAll({ output }: Session, control: Control, done: string): void {
  output.result(controlDocument(control), () => `${done}\n`);
}

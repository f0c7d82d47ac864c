import type { Command } from 'commander';
import { type Control, freezeAt } from '#common/control/control.ts';
import { controlDocument } from '../output/control-shapes.ts';
import { controlDetails } from '../output/control-text.ts';
import { formatTime } from '../output/quantities.ts';
import { parseUntil } from '../parse/since.ts';
import { examples } from '../program.ts';
import { type CommandInstaller, type Runtime, type Session, withSession } from '../session.ts';
import { reasonOption, validateOnlyOption } from './options.ts';

export const installFreeze: CommandInstaller = (program, runtime) => {
  const freeze = program
    .command('freeze')
    .description('stop the line: no key changes, no rollout goes on; kills and aborts work')
    .addHelpText(
      'after',
      examples('skein freeze --reason "incident 12"', 'skein freeze status', 'skein freeze lift'),
    );
  installStart(freeze, runtime);
  installStatus(freeze, runtime);
  installLift(freeze, runtime);
};

interface FreezeOptions {
  readonly reason: string;
  readonly validateOnly: boolean;
  readonly until?: Date;
}

function installStart(freeze: Command, runtime: Runtime): void {
  freeze
    .command('start', { isDefault: true })
    .description('freeze; what skein freeze alone does')
    .option('--until <time>', 'ends by itself then: 2026-01-31T12:00:00Z, or after 2h', (text) =>
      parseUntil(text, runtime.clock.now(), '--until'),
    )
    .addOption(reasonOption())
    .addOption(validateOnlyOption())
    .addHelpText(
      'after',
      examples('skein freeze --reason "incident 12"', 'skein freeze start --until 2h'),
    )
    .action(async ({ until, ...options }: FreezeOptions, command: Command) => {
      await withSession(runtime, command, async (session) => {
        const request = { ...options, ...(until ? { until } : {}) };
        const control = await session.client.control.freeze(request);
        const done = options.validateOnly ? 'would be frozen' : 'frozen';
        report(
          session,
          control,
          `${done} ${until ? `until ${formatTime(until)}` : 'until lifted'}`,
        );
      });
    });
}

function installStatus(freeze: Command, runtime: Runtime): void {
  freeze
    .command('status')
    .description('show whether a freeze, or a kill of all keys, is in force: who, why, until when')
    .addHelpText('after', examples('skein freeze status', 'skein freeze status -o json'))
    .action(async (_options: unknown, command: Command) => {
      await withSession(runtime, command, async ({ client, output, clock }) => {
        const control = await client.control.get();
        const now = clock.now();
        const document = {
          ...controlDocument(control),
          frozen: freezeAt(control, now) !== undefined,
        };
        output.result(document, () => controlDetails(control, now, output.paint));
      });
    });
}

function installLift(freeze: Command, runtime: Runtime): void {
  freeze
    .command('lift')
    .description('end the freeze')
    .addOption(reasonOption())
    .addOption(validateOnlyOption())
    .addHelpText('after', examples('skein freeze lift --reason "fixed"'))
    .action(async (options: Omit<FreezeOptions, 'until'>, command: Command) => {
      await withSession(runtime, command, async (session) => {
        const control = await session.client.control.unfreeze(options);
        report(session, control, `freeze ${options.validateOnly ? 'would be lifted' : 'lifted'}`);
      });
    });
}

function report({ output }: Session, control: Control, done: string): void {
  output.result(controlDocument(control), () => `${done}\n`);
}

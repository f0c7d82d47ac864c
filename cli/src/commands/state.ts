import { type Command, Option } from 'commander';
import { SkeinError } from '#common/errors.ts';
import { controlDocument } from '../output/control-shapes.ts';
import { formatTime } from '../output/quantities.ts';
import { desiredDocument } from '../output/shapes.ts';
import { pastText } from '../output/state-text.ts';
import { parseSince } from '../parse/since.ts';
import { examples } from '../program.ts';
import { type CommandInstaller, withSession } from '../session.ts';
import { keyArgument } from './options.ts';

export const installState: CommandInstaller = (program, runtime) => {
  program
    .command('state')
    .description('show what the fleet was told at a time in the past')
    .addArgument(keyArgument('only this fleet key').argOptional())
    .addOption(
      new Option('--at <time>', '2026-01-31T12:00:00Z, or "2h ago"')
        .argParser((text) => parseSince(text, runtime.clock.now(), '--at'))
        .makeOptionMandatory(),
    )
    .addHelpText(
      'after',
      examples(
        'skein state --at 2026-01-31T12:00:00Z',
        'skein state net.drop_icmp --at "2h ago" -o json',
      ),
    )
    .action(async (key: string | undefined, { at }: { at: Date }, command: Command) => {
      await withSession(runtime, command, async ({ client, output }) => {
        if (at > runtime.clock.now()) {
          throw new SkeinError(
            'SKEIN_INVALID_ARGUMENT',
            `--at: ${formatTime(at)} has not come yet`,
          );
        }
        const past = await client.stateAt(at, key ?? '');
        if (key !== undefined && past.keys.length === 0) {
          throw new SkeinError('SKEIN_KEY_NOT_FOUND', `"${key}" at ${formatTime(at)}`, {
            remedy: 'See its generations with skein key history.',
          });
        }
        const document = {
          at,
          keys: past.keys.map(desiredDocument),
          control: controlDocument(past.control),
        };
        output.result(document, () => pastText(past, at, output.paint));
      });
    });
};

import type { Command } from 'commander';
import { explain } from '../explain/explain.ts';
import { explanationDocument, explanationText } from '../explain/explanation-text.ts';
import { examples } from '../program.ts';
import { type CommandInstaller, withSession } from '../session.ts';
import { hostArgument, keyArgument } from './options.ts';

export const installExplain: CommandInstaller = (program, runtime) => {
  program
    .command('explain')
    .description('say which rule decides a key on a host, and what was read back there')
    .addArgument(hostArgument())
    .addArgument(keyArgument())
    .addHelpText(
      'after',
      examples('skein explain web-1 net.drop_icmp', 'skein explain web-1 net.drop_icmp -o json'),
    )
    .action(async (hostName: string, keyName: string, _options: unknown, command: Command) => {
      await withSession(runtime, command, async ({ client, output, clock }) => {
        const [{ desired }, host] = await Promise.all([
          client.getKey(keyName),
          client.getHost(hostName),
        ]);
        const explanation = explain(desired, host);
        output.result(explanationDocument(explanation, desired, host), () =>
          explanationText(explanation, desired, host, clock.now(), output.paint),
        );
      });
    });
};

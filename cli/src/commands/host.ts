import type { Command } from 'commander';
import { hostDetails, hostTable } from '../output/host-tables.ts';
import { hostDocument } from '../output/shapes.ts';
import { examples } from '../program.ts';
import { type CommandInstaller, withSession } from '../session.ts';
import { hostArgument } from './options.ts';

export const installHost: CommandInstaller = (program, runtime) => {
  const host = program
    .command('host')
    .description('read what hosts report')
    .addHelpText('after', examples('skein host list --selector zone=a', 'skein host get web-1'));
  host
    .command('list')
    .description('list hosts')
    .option('--selector <selector>', 'only hosts with these labels', '')
    .addHelpText(
      'after',
      examples('skein host list', 'skein host list --selector "zone in (a,b)" -o json'),
    )
    .action(async (options: { selector: string }, command: Command) => {
      await withSession(runtime, command, async ({ client, output, clock }) => {
        const hosts = await client.listHosts(options.selector);
        output.list('hosts', hosts.map(hostDocument), () =>
          hostTable(hosts, clock.now(), output.paint),
        );
      });
    });
  host
    .command('get')
    .description('show a host: labels, keys as read back, programs')
    .addArgument(hostArgument())
    .addHelpText('after', examples('skein host get web-1', 'skein host get web-1 -o yaml'))
    .action(async (name: string, _options: unknown, command: Command) => {
      await withSession(runtime, command, async ({ client, output, clock }) => {
        const view = await client.getHost(name);
        output.result(hostDocument(view), () => hostDetails(view, clock.now(), output.paint));
      });
    });
};

import type { Command } from 'commander';
import { followWatch } from '../client/follow-watch.ts';
import type { Output } from '../output/output.ts';
import { RowPrinter } from '../output/row-printer.ts';
import {
  HOST_COLUMNS,
  hostRow,
  KEY_COLUMNS,
  keyRow,
  PROGRESS_COLUMNS,
  progressRow,
} from '../output/watch-rows.ts';
import { examples } from '../program.ts';
import { type CommandInstaller, type Session, withSession } from '../session.ts';
import { keyArgument } from './options.ts';

export const installWatch: CommandInstaller = (program, runtime) => {
  program
    .command('watch')
    .description('show every change as it happens, until interrupted')
    .addArgument(keyArgument('only this fleet key').argOptional())
    .option('--hosts', 'each host: its progress with KEY, or without KEY its state', false)
    .addHelpText(
      'after',
      `
With -o json or jsonl a line is printed per change, with -o yaml a document behind "---".
${examples('skein watch', 'skein watch net.drop_icmp --hosts', 'skein watch --hosts -o jsonl')}`,
    )
    .action(async (key: string | undefined, options: { hosts: boolean }, command: Command) => {
      await withSession(runtime, command, async (session) => {
        if (key === undefined && options.hosts) await watchHosts(session);
        else await watchKeys(session, key ?? '', options.hosts);
      });
    });
};

async function watchHosts({ client, clock, output }: Session): Promise<void> {
  const { signal } = new AbortController();
  const printer = new RowPrinter(output, HOST_COLUMNS);
  const views = followWatch(() => client.watchHosts('', signal), {
    clock,
    signal,
    onBreak: (why) => noteBreak(output, why),
  });
  for await (const view of views) printer.print(hostRow(view), clock.now());
}

async function watchKeys(
  { client, clock, output }: Session,
  key: string,
  eachHost: boolean,
): Promise<void> {
  const { signal } = new AbortController();
  const printer = new RowPrinter(output, eachHost ? PROGRESS_COLUMNS : KEY_COLUMNS);
  const views = followWatch(() => client.watchKeys(key, signal), {
    clock,
    signal,
    onBreak: (why) => noteBreak(output, why),
  });
  for await (const view of views) {
    const now = clock.now();
    const rows = eachHost
      ? view.hosts.map((progress) => progressRow(view, progress, now))
      : [keyRow(view)];
    for (const row of rows) printer.print(row, now);
  }
}

export function noteBreak(output: Output, why: string): void {
  output.note(`watch interrupted, trying again: ${why}`);
}

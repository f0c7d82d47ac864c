import { type Command, Option } from 'commander';
import { auditTable } from '../output/audit-table.ts';
import { auditDocument } from '../output/shapes.ts';
import { parseSince } from '../parse/since.ts';
import { parseKeyName, parseLimit } from '../parse/values.ts';
import { examples } from '../program.ts';
import { type CommandInstaller, withSession } from '../session.ts';

interface AuditOptions {
  readonly key: string;
  readonly since?: Date;
  readonly limit: number;
}

export const installAudit: CommandInstaller = (program, runtime) => {
  program
    .command('audit')
    .description('list who changed what, when and why, newest first')
    .addOption(
      new Option('--key <key>', 'only changes of this key')
        .default('', 'all keys')
        .argParser((text) => parseKeyName(text, '--key')),
    )
    .option(
      '--since <time>',
      'only changes after 2026-01-31T12:00:00Z, or of the last 1h',
      (text) => parseSince(text, runtime.clock.now(), '--since'),
    )
    .option(
      '--limit <count>',
      'at most this many, 1..1000',
      (text) => parseLimit(text, '--limit'),
      100,
    )
    .addHelpText(
      'after',
      examples('skein audit --since 1h', 'skein audit --key net.drop_icmp -o jsonl'),
    )
    .action(async (options: AuditOptions, command: Command) => {
      await withSession(runtime, command, async ({ client, output }) => {
        const entries = await client.listAudit(options);
        output.list('records', entries.map(auditDocument), () => auditTable(entries, output.paint));
      });
    });
};

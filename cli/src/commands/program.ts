import { Argument, type Command } from 'commander';
import { SkeinError } from '#common/errors.ts';
import type { ProgramView, SkeinClient } from '../client/skein-client.ts';
import { suggesting } from '../names/suggest.ts';
import { dumpDocument, dumpText } from '../output/assembly-text.ts';
import { programDetails, programTable } from '../output/program-tables.ts';
import { programDocument, siteDocument } from '../output/shapes.ts';
import { siteTable } from '../output/site-table.ts';
import { formatProgramName, type ProgramName, parseProgramName } from '../parse/program-name.ts';
import { examples } from '../program.ts';
import { type CommandInstaller, type Runtime, withSession } from '../session.ts';
import { hostArgument, programArgument } from './options.ts';

export const installProgram: CommandInstaller = (program, runtime) => {
  const command = program
    .command('program')
    .description('read what became of BPF programs: tiers, variants, static branches')
    .addHelpText(
      'after',
      examples('skein program list --selector zone=a', 'skein program sites web-1 guard'),
    );
  installList(command, runtime);
  installGet(command, runtime);
  installSites(command, runtime);
  installDump(command, runtime);
};

function installList(program: Command, runtime: Runtime): void {
  program
    .command('list')
    .description('list programs with their tier, size and verifier statistics')
    .addArgument(new Argument('[host]', 'only those of this host'))
    .option('--selector <selector>', 'only those of hosts with these labels', '')
    .addHelpText(
      'after',
      examples(
        'skein program list',
        'skein program list web-1 -o json',
        'skein program list --selector zone=a',
      ),
    )
    .action(async (host: string | undefined, options: ListOptions, command: Command) => {
      if (host !== undefined && options.selector !== '') {
        throw new SkeinError('SKEIN_INVALID_ARGUMENT', '--selector: HOST is given already', {
          remedy: 'Leave one of them out.',
        });
      }
      await withSession(runtime, command, async ({ client, output }) => {
        const hosts =
          host === undefined
            ? await client.listHosts(options.selector)
            : [await client.getHost(host)];
        const programs = hosts.flatMap(({ report }) =>
          report.programs.map((each): ProgramView => ({ host: report.host, ...each })),
        );
        output.list('programs', programs.map(programDocument), () =>
          programTable(programs, output.paint),
        );
      });
    });
}

interface ListOptions {
  readonly selector: string;
}

function installGet(program: Command, runtime: Runtime): void {
  program
    .command('get')
    .description('show a program: tier, variants, verifier statistics, static keys')
    .addArgument(hostArgument())
    .addArgument(programArgument())
    .addHelpText('after', examples('skein program get web-1 guard/guard_ingress'))
    .action(async (host: string, text: string, _options: unknown, command: Command) => {
      const name = parseProgramName(text);
      await withSession(runtime, command, async ({ client, output }) => {
        const view = await findProgram(client, host, name);
        output.result(programDocument(view), () => programDetails(view, output.paint));
      });
    });
}

/** @throws SkeinError SKEIN_PROGRAM_NOT_FOUND */
async function findProgram(
  client: SkeinClient,
  host: string,
  name: ProgramName,
): Promise<ProgramView> {
  const { report } = await client.getHost(host);
  const found = report.programs.find(
    (each) => each.unit === name.unit && each.program === name.program,
  );
  if (found === undefined) throw noProgram(name, host, report.programs);
  return { host: report.host, ...found };
}

function noProgram(
  name: ProgramName,
  host: string,
  candidates: readonly ProgramName[],
): SkeinError {
  const text = formatProgramName(name);
  const error = new SkeinError('SKEIN_PROGRAM_NOT_FOUND', `"${text}" on host "${host}"`, {
    remedy: `List its programs with skein program list ${host}.`,
  });
  return suggesting(error, text, new Set(candidates.map(formatProgramName)));
}

function installSites(program: Command, runtime: Runtime): void {
  program
    .command('sites')
    .description('list the static branches of a host: where they are in source, code and memory')
    .addArgument(hostArgument())
    .addArgument(new Argument('[program]', 'UNIT or UNIT/PROGRAM; all of the host when absent'))
    .option('--key <static-key>', 'only those of this static key', '')
    .addHelpText(
      'after',
      examples(
        'skein program sites web-1',
        'skein program sites web-1 guard/guard_ingress',
        'skein program sites web-1 guard --key drop_icmp -o json',
      ),
    )
    .action(
      async (host: string, text: string | undefined, options: SitesOptions, command: Command) => {
        const name = text === undefined ? undefined : parseProgramName(text);
        const key = options.key === '' ? {} : { key: options.key };
        await withSession(runtime, command, async ({ client, output }) => {
          const sites = await client.listSites(host, { ...name, ...key });
          if (sites.length === 0 && name !== undefined) {
            const { report } = await client.getHost(host);
            const isThere = report.programs.some(({ unit, program }) => {
              return unit === name.unit && (name.program ?? program) === program;
            });
            if (!isThere) {
              const units = report.programs.map(({ unit }) => ({ unit }));
              throw noProgram(name, host, [...units, ...report.programs]);
            }
          }
          output.list('sites', sites.map(siteDocument), () => siteTable(sites, output.paint));
        });
      },
    );
}

interface SitesOptions {
  readonly key: string;
}

function installDump(program: Command, runtime: Runtime): void {
  program
    .command('dump')
    .description('show a program in assembly, with its static branches and what became of them')
    .addArgument(hostArgument())
    .addArgument(programArgument())
    .addHelpText(
      'after',
      examples(
        'skein program dump web-1 guard/guard_ingress',
        'skein program dump web-1 guard/guard_ingress -o json',
      ),
    )
    .action(async (host: string, text: string, _options: unknown, command: Command) => {
      const name = parseProgramName(text);
      await withSession(runtime, command, async ({ client, output }) => {
        const view = await findProgram(client, host, name);
        const assembly = await client.dumpProgram(host, view.unit, view.program);
        output.result(dumpDocument(view, assembly), () => dumpText(view, assembly));
      });
    });
}

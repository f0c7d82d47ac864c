import { Argument, type Command } from 'commander';
import type { HostReport } from '#common/observed.ts';
import type { SkeinClient } from '../client/skein-client.ts';
import { complete, type NameKind, optionValues } from '../completion/complete.ts';
import { COMPLETION_SCRIPTS, FILES_DIRECTIVE, SHELLS, type Shell } from '../completion/scripts.ts';
import { examples } from '../program.ts';
import { type CommandInstaller, findConnection, openClient, type Runtime } from '../session.ts';

/** Who presses the tab key does not wait for an unreachable controller. */
const DEADLINE_MS = 1_000;

export const installCompletion: CommandInstaller = (program, runtime) => {
  program
    .command('completion')
    .description('print a script that completes commands, options, key and host names')
    .addArgument(new Argument('<shell>', 'the shell that is to complete').choices(SHELLS))
    .addHelpText(
      'after',
      examples(
        'source <(skein completion bash)',
        'source <(skein completion zsh)      # after compinit',
        'skein completion fish | source',
      ),
    )
    .action((shell: Shell) => runtime.stdout.write(COMPLETION_SCRIPTS[shell]));

  program
    .command('__complete', { hidden: true })
    .argument('[words...]')
    .action(async (words: string[]) => {
      for (const candidate of await candidates(program, runtime, words)) {
        runtime.stdout.write(`${candidate}\n`);
      }
    });
};

async function candidates(
  program: Command,
  runtime: Runtime,
  words: readonly string[],
): Promise<readonly string[]> {
  const completion = complete(program, words);
  switch (completion.kind) {
    case 'words':
      return completion.words;
    case 'files':
      return [FILES_DIRECTIVE];
    case 'names': {
      const { of, prefix } = completion;
      const current = words.at(-1) === '=' ? '' : (words.at(-1) ?? '');
      const names = await namesOf(of, runtime, optionValues(program, words.slice(0, -1)));
      return names.map((name) => prefix + name).filter((name) => name.startsWith(current));
    }
  }
}

/** No names, rather than an error in the middle of a line being typed. */
async function namesOf(
  what: NameKind,
  runtime: Runtime,
  options: ReadonlyMap<string, string>,
): Promise<readonly string[]> {
  let client: SkeinClient | undefined;
  try {
    const connection = findConnection(runtime, {
      server: options.get('server'),
      tokenFile: options.get('tokenFile'),
      caFile: options.get('caFile'),
    });
    client = await openClient(runtime, connection, DEADLINE_MS);
    return [...new Set(await namesFrom(client, what))];
  } catch {
    return [];
  } finally {
    client?.close();
  }
}

async function namesFrom(client: SkeinClient, what: NameKind): Promise<readonly string[]> {
  switch (what) {
    case 'keys': {
      const keys = await client.listKeys({ includeDeleted: false });
      return keys.map(({ desired }) => desired.name);
    }
    case 'rollouts': {
      const rollouts = await client.rollouts.list({ key: '', all: false });
      return rollouts.flatMap(({ record }) => [record.id, record.spec.key]);
    }
    case 'cohorts':
      return (await client.control.get()).cohorts.map(({ name }) => name);
    default: {
      const hosts = await client.listHosts('');
      return hosts.flatMap(({ report }) => namesIn(report, what));
    }
  }
}

function namesIn(
  { host, programs }: HostReport,
  what: 'hosts' | 'programs' | 'static keys',
): string[] {
  switch (what) {
    case 'hosts':
      return [host];
    case 'programs':
      return programs.map(({ unit, program }) => `${unit}/${program}`);
    case 'static keys':
      return programs.flatMap(({ staticKeys }) => Object.keys(staticKeys));
  }
}

import { Argument, type Command } from 'commander';
import type { SkeinClient } from '../client/skein-client.ts';
import { complete, optionValues } from '../completion/complete.ts';
import { COMPLETION_SCRIPTS, FILES_DIRECTIVE, SHELLS, type Shell } from '../completion/scripts.ts';
import { knownNames, type NameKind } from '../names/known-names.ts';
import { examples } from '../program.ts';
import { type CommandInstaller, findConnection, openClient, type Runtime } from '../session.ts';

/** Who presses the tab key does not wait for an unreachable controller. */
const DEADLINE_MS = 1_000;

export const installCompletion: CommandInstaller = (program, runtime) => {
  program
    .command('completion')
    .description('print a script that completes commands, options and names')
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
    const connection = findConnection(runtime, Object.fromEntries(options));
    client = await openClient(runtime, connection, DEADLINE_MS);
    return [...(await knownNames(client, what))];
  } catch {
    return [];
  } finally {
    client?.close();
  }
}

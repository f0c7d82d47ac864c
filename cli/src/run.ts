import { type Command, CommanderError } from 'commander';
import { SkeinError, toSkeinError } from '#common/errors.ts';
import { exitCodeOf } from './exit-codes.ts';
import type { Sink } from './output/output.ts';
import { printable } from './output/style.ts';

/**
 * Runs one command line. Whatever goes wrong becomes exactly one line on stderr, in every output format.
 *
 * @param words the command line, without the program
 * @returns the exit status, as in exit-codes.ts
 */
export async function run(
  program: Command,
  words: readonly string[],
  stderr: Sink,
): Promise<number> {
  try {
    await program.parseAsync(helpByFlag(program, words), { from: 'user' });
    return 0;
  } catch (thrown) {
    if (thrown instanceof CommanderError && isHelp(thrown)) return thrown.exitCode === 0 ? 0 : 2;
    const error =
      thrown instanceof CommanderError ? usageError(program, words, thrown) : toSkeinError(thrown);
    stderr.write(`error: ${printable(error.line)}\n`);
    return exitCodeOf(error.code, commandOf(program, words));
  }
}

/** `help rollout start` as `rollout start --help`: commander's own help goes one command deep. */
function helpByFlag(program: Command, words: readonly string[]): readonly string[] {
  const path = words.slice(1);
  const isCommand = commandOf(program, path) === [program.name(), ...path].join(' ');
  return words[0] === 'help' && isCommand ? [...path, '--help'] : words;
}

/** Asked for by --help or by a command; or shown since a command is missing, with an exit code of its own. */
function isHelp({ code }: CommanderError): boolean {
  return code === 'commander.help' || code === 'commander.helpDisplayed';
}

function usageError(program: Command, words: readonly string[], error: CommanderError): SkeinError {
  const message = error.message.replace(/^error: /, '').replace(/\.$/, '');
  return new SkeinError('SKEIN_INVALID_ARGUMENT', message, {
    remedy: `See ${commandOf(program, words)} --help.`,
  });
}

/** `skein key create`, as far as the words name commands. */
function commandOf(program: Command, words: readonly string[]): string {
  let command = program;
  const path = [program.name()];
  for (const word of words) {
    const child = command.commands.find((candidate) => candidate.name() === word);
    if (!child) continue;
    command = child;
    path.push(word);
  }
  return path.join(' ');
}

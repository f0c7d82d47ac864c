import type { Command } from 'commander';
import { systemClock } from '#common/clock.ts';
import { COMMANDS } from '../commands/all.ts';
import { createProgram } from '../program.ts';

const nowhere = { isTerminal: false, write: () => {} };

/** The whole command line, to be looked at; what it prints is lost, and it reaches no controller. */
export const COMMAND_TREE: Command = createProgram(COMMANDS, {
  environment: {},
  stdout: nowhere,
  stderr: nowhere,
  clock: systemClock,
  connect: () => Promise.reject(new Error('only looked at')),
});

/** Every command that a user sees, families included, by its words: `key create`. */
export function visibleCommands(
  parent: Command = COMMAND_TREE,
  path: readonly string[] = [],
): [words: string, command: Command][] {
  return parent
    .createHelp()
    .visibleCommands(parent)
    .filter((command) => command.name() !== 'help')
    .flatMap((command): [string, Command][] => {
      const here = [...path, command.name()];
      return [[here.join(' '), command], ...visibleCommands(command, here)];
    });
}

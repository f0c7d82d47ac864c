import type { Command } from 'commander';
import { SkeinError } from '#common/errors.ts';
import { parseDuration } from '../parse/duration.ts';

export interface WaitOptions {
  readonly wait: boolean;
  /** Milliseconds. */
  readonly timeout?: number;
}

export function addWaitOptions(command: Command): Command {
  return command
    .option('--wait', 'until every matching live host has applied it and read it back', false)
    .option('--timeout <duration>', 'how long --wait waits (default: 30s)', (text) =>
      parseDuration(text, '--timeout'),
    );
}

/** @throws SkeinError SKEIN_INVALID_ARGUMENT */
export function refuseWaitForNothing(options: {
  readonly wait: boolean;
  readonly validateOnly: boolean;
}): void {
  if (!options.wait || !options.validateOnly) return;
  throw new SkeinError('SKEIN_INVALID_ARGUMENT', '--wait and --validate-only exclude each other', {
    remedy: 'Leave one of them out.',
  });
}

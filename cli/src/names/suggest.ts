import type { Command } from 'commander';
import type { ErrorCode } from '#common/error-catalogue.ts';
import { SkeinError } from '#common/errors.ts';
import type { SkeinClient } from '../client/skein-client.ts';
import { closest } from './closest.ts';
import { kindOfNames, knownNames, type NameKind } from './known-names.ts';

const MISSING: Partial<Record<ErrorCode, NameKind>> = {
  SKEIN_KEY_NOT_FOUND: 'keys',
  SKEIN_HOST_NOT_FOUND: 'hosts',
  SKEIN_ROLLOUT_NOT_FOUND: 'rollouts',
  SKEIN_COHORT_NOT_FOUND: 'cohorts',
};

/**
 * What a command failed with; where it was given a name that is not there, with the names that may have been meant.
 * Asking for them is a courtesy: when that fails too, the first error stands.
 */
export async function withSuggestion(
  thrown: unknown,
  command: Command,
  client: SkeinClient,
): Promise<unknown> {
  const kind = thrown instanceof SkeinError ? MISSING[thrown.code] : undefined;
  if (!(thrown instanceof SkeinError) || kind === undefined) return thrown;
  const place = command.registeredArguments.findIndex((argument) => {
    return kindOfNames(argument.name()) === kind;
  });
  const word = command.args[place];
  if (word === undefined) return thrown;
  const names = await knownNames(client, kind).catch(() => []);
  return suggesting(thrown, word, names);
}

/** The error, with the names that `word` may have been meant for. */
export function suggesting(error: SkeinError, word: string, names: Iterable<string>): SkeinError {
  const likely = closest(word, names);
  if (likely.length === 0) return error;
  const { code, message, remedy, detail } = error;
  return new SkeinError(code, `${message} (did you mean ${likely.join(' or ')}?)`, {
    cause: error,
    remedy,
    ...(detail === undefined ? {} : { detail }),
  });
}

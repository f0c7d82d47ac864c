import { Argument, Option } from 'commander';
import { parseCohortName, parseKeyName } from '../parse/values.ts';

/**
 * Arguments and options that several commands take. Completion and suggestions go by the name of an argument, and of an
 * option's value: see names/known-names.ts.
 */
export function keyArgument(description = 'name of a fleet key'): Argument {
  return new Argument('<key>', description).argParser((text) => parseKeyName(text, 'KEY'));
}

export function hostArgument(): Argument {
  return new Argument('<host>', 'name of a host');
}

export function programArgument(): Argument {
  return new Argument('<program>', 'UNIT/PROGRAM, as in skein program list');
}

export function rolloutArgument(): Argument {
  return new Argument('<rollout>', 'its id, or the key that it is of');
}

export function cohortArgument(): Argument {
  return new Argument('<cohort>', 'name of a cohort').argParser((text) =>
    parseCohortName(text, 'COHORT'),
  );
}

/** @param what is changed: `the key` */
export function etagOption(what: string): Option {
  return new Option(
    '--etag <etag>',
    `fail if ${what} was changed since this etag was read`,
  ).default('', 'whatever is current');
}

export function reasonOption(): Option {
  return new Option('--reason <text>', 'why, for history and audit').default('');
}

export function validateOnlyOption(): Option {
  return new Option('--validate-only', 'check everything, write nothing').default(false);
}

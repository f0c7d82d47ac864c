import { SkeinError } from '#common/errors.ts';

export interface ProgramName {
  readonly unit: string;
  /** Absent: every program of the unit. */
  readonly program?: string;
}

/**
 * UNIT or UNIT/PROGRAM.
 *
 * @throws SkeinError SKEIN_INVALID_ARGUMENT
 */
export function parseProgramName(text: string): ProgramName {
  const [unit, program, more] = text.split('/');
  if (!unit || program === '' || more !== undefined) {
    throw new SkeinError('SKEIN_INVALID_ARGUMENT', `PROGRAM: "${text}" is not UNIT/PROGRAM`, {
      remedy: 'See both names with skein program list.',
    });
  }
  return program === undefined ? { unit } : { unit, program };
}

export function formatProgramName({ unit, program }: ProgramName): string {
  return program === undefined ? unit : `${unit}/${program}`;
}

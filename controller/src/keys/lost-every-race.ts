import { SkeinError } from '#common/errors.ts';

/**
 * The error of who lost every race for a record.
 *
 * @param what for the message: "control record"
 * @param bases the revision that each attempt was based on; what others wrote was read in between, so one that stays
 *   the same is not there any more
 */
export function lostEveryRace(what: string, bases: readonly bigint[]): SkeinError {
  const [first] = bases;
  if (bases.every((base) => base === first)) {
    return new SkeinError(
      'SKEIN_STORE_REFUSED',
      `${what}: revision ${first} is no longer in the bucket`,
      {
        remedy:
          'Somebody removed it. A bucket that was made anew is read anew by itself: try again in 10 s. ' +
          'If that does not help, restart the controller, which then goes by what is left in the bucket.',
      },
    );
  }
  const message = `${what}: others wrote ${bases.length} times in a row`;
  return new SkeinError('SKEIN_CONFLICT', message, { remedy: 'Try again.' });
}

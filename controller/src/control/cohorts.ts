import { SkeinError } from '#common/errors.ts';
import type { Cohort } from '#common/rollout/spec.ts';
import { LABEL_VALUE, normaliseSelector } from '#common/targeting/selector.ts';

/** The record must stay far below what NATS carries in one message, and twice so in the audit log. */
const MAX_COHORTS = 100;

/** By name; `cohorts` itself when it is so already. @throws SkeinError SKEIN_INVALID_ARGUMENT, SKEIN_BAD_SELECTOR */
export function withCohort(
  cohorts: readonly Cohort[],
  name: string,
  selector: string,
): readonly Cohort[] {
  if (name === '' || !LABEL_VALUE.test(name)) {
    const shown = JSON.stringify(name.slice(0, 64));
    throw new SkeinError('SKEIN_INVALID_ARGUMENT', `name: ${shown} is not a name of a cohort`, {
      remedy:
        'Write 1 to 63 letters, digits, "_", "-" and "." that begin and end with a letter or digit.',
    });
  }
  const normalised = normaliseSelector(selector);
  const older = cohorts.find((cohort) => cohort.name === name);
  if (older?.selector === normalised) return cohorts;
  const others = cohorts.filter((cohort) => cohort !== older);
  if (others.length >= MAX_COHORTS) {
    const what = `name: there are ${MAX_COHORTS} cohorts already`;
    throw new SkeinError('SKEIN_INVALID_ARGUMENT', what, { remedy: 'Delete one first.' });
  }
  const made = [...others, { name, selector: normalised }];
  return made.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** @throws SkeinError SKEIN_COHORT_NOT_FOUND */
export function withoutCohort(cohorts: readonly Cohort[], name: string): readonly Cohort[] {
  const others = cohorts.filter((cohort) => cohort.name !== name);
  if (others.length === cohorts.length) {
    throw new SkeinError('SKEIN_COHORT_NOT_FOUND', `cohort ${JSON.stringify(name.slice(0, 64))}`);
  }
  return others;
}

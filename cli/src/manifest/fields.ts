import { z } from 'zod';
import { toSkeinError } from '#common/errors.ts';
import type { Amount } from '#common/rollout/spec.ts';
import { normaliseSelector } from '#common/targeting/selector.ts';
import { parseAmount } from '../parse/amount.ts';
import { parseSentDuration, parseWait } from '../parse/duration.ts';
import { parseCohortName, parseKeyName } from '../parse/values.ts';

/** The fields of manifests. Each takes what a person writes, and gives what the domain types hold. */

/** Text of which `parse` says whether it is right; what it throws becomes the issue of the field. */
function textField<T>(parse: (text: string) => T, meta: { readonly [name: string]: unknown }) {
  return z
    .string()
    .meta(meta)
    .transform((text, context): T => {
      try {
        return parse(text);
      } catch (thrown) {
        context.addIssue(toSkeinError(thrown).message.replace(/^: /, ''));
        return z.NEVER;
      }
    });
}

/** YAML 1.1 tools write on and off as true and false. */
export const switchField = z
  .union([z.enum(['on', 'off']), z.boolean()], { error: 'write on or off' })
  .transform((value) => value === 'on' || value === true);

const DURATION = '(\\d+(\\.\\d+)?(ms|s|m|h|d))+';
const DURATIONS = { examples: ['30s', '1h30m', '7d'] };

/** Milliseconds, above 0. */
export const durationField = textField((text) => parseSentDuration(text, ''), {
  pattern: `^${DURATION}$`,
  ...DURATIONS,
});

/** Milliseconds, 0 for none. */
export const waitField = textField((text) => parseWait(text, ''), {
  pattern: `^(0|${DURATION})$`,
  ...DURATIONS,
});

const MAX_SELECTOR = 2048;

export const selectorField = textField(
  (text) => (text.length > MAX_SELECTOR ? tooLong() : normaliseSelector(text)),
  { maxLength: MAX_SELECTOR, examples: ['zone=a,tier!=db,env in (prod,stage),!canary'] },
);

const NAME = { pattern: '^[a-z0-9_-]+(\\.[a-z0-9_-]+)*$', maxLength: 128 };
export const keyNameField = textField((text) => parseKeyName(text, ''), NAME);
export const cohortNameField = textField((text) => parseCohortName(text, ''), NAME);

/** Of the hosts concerned. */
export const amountField = z
  .union([z.int().min(0), z.string().meta({ pattern: '^\\d+(\\.\\d+)?%$' })], {
    error: 'write it as 10% or 3',
  })
  .transform((value, context): Amount => {
    try {
      return parseAmount(String(value), '');
    } catch {
      context.addIssue('write it as 10% or 3');
      return z.NEVER;
    }
  });

export const percentField = z.number().min(0).max(100);

function tooLong(): never {
  throw new Error(`a selector has at most ${MAX_SELECTOR} characters`);
}

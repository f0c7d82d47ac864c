import { readObject } from '#agent/object/read-object.ts';
import type { ObjectSpec } from '#agent/object/spec.ts';
import { lift } from '#agent/program/lift.ts';
import { lower } from '#agent/program/lower.ts';
import { lowerDynamic } from '#agent/program/lower-dynamic.ts';
import { specialise } from '#agent/program/specialise.ts';
import { SkeinError } from '#common/errors.ts';
import { suggesting } from '../names/suggest.ts';
import { ON_OFF } from '../parse/values.ts';

export interface LowerRequest {
  /** Give every site the encoding that stock kernels take. Implied for keys beside those with a value. */
  readonly dynamic: boolean;
  /** Values by static key to specialise for. */
  readonly values: ReadonlyMap<string, boolean>;
}

export interface Lowered {
  readonly bytes: Uint8Array;
  /** Static branches that the object had, and that are left. */
  readonly sites: { readonly before: number; readonly left: number };
}

/**
 * The object in another form; byte for byte itself when nothing is asked for. What was made is read back before anybody
 * gets it. A pure function.
 * @throws SkeinError SKEIN_BAD_OBJECT, SKEIN_CANNOT_LOWER, SKEIN_UNKNOWN_STATIC_KEY
 */
export function lowerObject(bytes: Uint8Array, { dynamic, values }: LowerRequest): Lowered {
  const lifted = lift(bytes);
  const known = lifted.spec.keys.map(({ name }) => name);
  const stranger = [...values.keys()].find((name) => !known.includes(name));
  if (stranger !== undefined) {
    const has = known.length === 0 ? 'none' : known.join(', ');
    const error = new SkeinError(
      'SKEIN_UNKNOWN_STATIC_KEY',
      `the object has no static key "${stranger}"; it has: ${has}`,
      { remedy: 'Set one of the static keys listed.' },
    );
    throw suggesting(error, stranger, known);
  }
  const lowered = lower(
    values.size > 0 ? specialise(lifted, values) : dynamic ? lowerDynamic(lifted) : lifted,
  );
  const sites = { before: countSites(lifted.spec), left: countSites(readObject(lowered)) };
  return { bytes: lowered, sites };
}

const countSites = ({ keys }: ObjectSpec): number =>
  keys.reduce((sum, { sites }) => sum + sites.length, 0);

/** @param settings `KEY=on` or `KEY=off`, each key once */
export function parseSettings(settings: readonly string[]): ReadonlyMap<string, boolean> {
  const values = new Map<string, boolean>();
  for (const setting of settings) {
    const [, key, value] = /^([^=]+)=(.*)$/.exec(setting) ?? [];
    if (key === undefined || !ON_OFF.some((known) => known === value)) {
      throw new SkeinError(
        'SKEIN_INVALID_ARGUMENT',
        `--set: "${setting}" is not KEY=on or KEY=off`,
      );
    }
    if (values.has(key)) {
      throw new SkeinError('SKEIN_INVALID_ARGUMENT', `--set: "${key}" is given twice`);
    }
    values.set(key, value === 'on');
  }
  return values;
}

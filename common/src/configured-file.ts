import { readFileSync } from 'node:fs';
import { SkeinError } from './errors.ts';

/**
 * Reads a file that an operator named.
 *
 * @param field of the configuration that names it; absent for the configuration file itself
 * @throws SkeinError SKEIN_CONFIG with field, path and reason
 */
export function readConfigured(
  path: string,
  { field, remedy }: { readonly field?: string; readonly remedy?: string } = {},
): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    const place = field === undefined ? '' : `${field}: `;
    const why = cause instanceof Error && 'code' in cause ? ` (${cause.code})` : '';
    throw new SkeinError('SKEIN_CONFIG', `${place}cannot read ${path}${why}`, {
      cause,
      ...(remedy === undefined ? {} : { remedy }),
    });
  }
}

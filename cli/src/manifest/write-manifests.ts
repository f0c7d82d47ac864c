import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SkeinError } from '#common/errors.ts';
import { type Declared, renderManifest } from './declared.ts';
import { manifestFiles } from './read-manifests.ts';

const FOLDERS: Readonly<Record<Declared['kind'], string>> = { FleetKey: 'keys', Cohort: 'cohorts' };

export interface WrittenFile {
  readonly file: string;
  /** False: it was there, word for word. */
  readonly changed: boolean;
}

/**
 * Writes one file for each object, so that the directory declares these and nothing else.
 *
 * @throws SkeinError SKEIN_INVALID_ARGUMENT when it holds manifests of other objects, or cannot be written; the first
 *   is seen before anything is written
 */
export function writeManifests(
  directory: string,
  objects: readonly Declared[],
): readonly WrittenFile[] {
  const files = new Map(
    objects.map((object) => [
      join(directory, FOLDERS[object.kind], `${object.name}.yaml`),
      renderManifest(object),
    ]),
  );
  const others = existsSync(directory)
    ? manifestFiles(directory).filter((file) => !files.has(join(file)))
    : [];
  if (others.length > 0) {
    const more = others.length > 1 ? ` and ${others.length - 1} more` : '';
    throw new SkeinError(
      'SKEIN_INVALID_ARGUMENT',
      `--file: ${others[0]}${more} declare no object of the controller here`,
      {
        remedy: 'Export into an empty directory, or remove them first.',
      },
    );
  }
  return [...files].map(([file, text]) => ({ file, changed: writeFile(file, text) }));
}

function writeFile(file: string, text: string): boolean {
  try {
    if (existsSync(file) && readFileSync(file, 'utf8') === text) return false;
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return true;
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? ` (${cause.code})` : '';
    throw new SkeinError('SKEIN_INVALID_ARGUMENT', `--file: cannot write ${file}${why}`, {
      cause,
      remedy: 'Give a directory that you may write.',
    });
  }
}

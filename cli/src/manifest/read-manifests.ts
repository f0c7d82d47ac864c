import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { SkeinError } from '#common/errors.ts';
import { type PlacedManifest, parseManifests } from './parse-manifests.ts';

/** A key or a cohort as a manifest declares it. */
export type Declaration = Exclude<PlacedManifest, { readonly kind: 'Rollout' }>;

/**
 * The keys and cohorts that a file, or every .yaml and .yml file below a directory, declares.
 *
 * @throws SkeinError SKEIN_BAD_MANIFEST for what cannot be read, is wrong, or is declared twice
 */
export function readDeclarations(path: string): readonly Declaration[] {
  const manifests = manifestFiles(path).flatMap((file) => parseManifests(read(file), file));
  const seen = new Map<string, string>();
  for (const manifest of manifests) {
    if (manifest.kind === 'Rollout') {
      throw new SkeinError('SKEIN_BAD_MANIFEST', `${manifest.place}: a Rollout is not declared`, {
        remedy: 'Start it with skein rollout start -f, and keep its file elsewhere.',
      });
    }
    const name = `${manifest.kind} ${manifest.name}`;
    const other = seen.get(name);
    if (other !== undefined) {
      throw new SkeinError(
        'SKEIN_BAD_MANIFEST',
        `${manifest.place}: metadata.name: ${name} is declared in ${other} already`,
        { remedy: 'Declare each object once.' },
      );
    }
    seen.set(name, manifest.place);
  }
  return manifests.filter((manifest) => manifest.kind !== 'Rollout');
}

/** The one rollout that a file holds. */
export function readRollout(file: string): Extract<PlacedManifest, { readonly kind: 'Rollout' }> {
  const [manifest, ...more] = parseManifests(read(file), file);
  if (manifest?.kind === 'Rollout' && more.length === 0) return manifest;
  throw new SkeinError('SKEIN_BAD_MANIFEST', `${file}: is not one document of kind Rollout`);
}

/**
 * Every file that may hold manifests, in the order of their names; what begins with a dot is left out.
 *
 * @param path a directory, or the file itself
 */
export function manifestFiles(path: string): readonly string[] {
  const found = attempt(path, () => statSync(path));
  if (!found.isDirectory()) return [path];
  const entries = attempt(path, () => readdirSync(path, { withFileTypes: true }));
  return entries
    .filter(({ name }) => !name.startsWith('.'))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const inner = join(path, entry.name);
      if (entry.isDirectory()) return manifestFiles(inner);
      return /\.ya?ml$/.test(entry.name) ? [inner] : [];
    });
}

function read(file: string): string {
  return attempt(file, () => readFileSync(file, 'utf8'));
}

function attempt<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? ` (${cause.code})` : '';
    throw new SkeinError('SKEIN_BAD_MANIFEST', `cannot read ${path}${why}`, {
      cause,
      remedy: 'Correct --file.',
    });
  }
}

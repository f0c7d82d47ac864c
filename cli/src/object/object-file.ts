import { randomUUID } from 'node:crypto';
import { readFileSync, renameSync, rmSync, type Stats, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SkeinError } from '#common/errors.ts';

/** As much as the helper takes in one request: no larger object can be loaded. */
const MAX_OBJECT_MIB = 64;

/**
 * Runs `work` on the bytes of a file. What it says of them names the file, too.
 * @throws SkeinError SKEIN_INVALID_ARGUMENT when the file cannot be read, is no regular file or larger than 64 MiB
 */
export function withObjectFile<T>(path: string, work: (bytes: Uint8Array) => T): T {
  const bytes = read(path);
  try {
    return work(bytes);
  } catch (thrown) {
    if (!(thrown instanceof SkeinError)) throw thrown;
    const { code, message, remedy } = thrown;
    throw new SkeinError(code, `${path}: ${message}`, { cause: thrown, remedy });
  }
}

/**
 * Replaces or makes a file as a whole: whoever reads it meanwhile, and whoever finds it after a crash, has the
 * old one or the new one.
 * @throws SkeinError SKEIN_INVALID_ARGUMENT when it cannot be written, or is no regular file
 */
export function replaceFile(path: string, bytes: Uint8Array): void {
  // A rename would put a file where a device or a pipe was.
  if (statOf(path)?.isFile() === false) throw unusable(path, 'is there, and no regular file');
  const temporary = join(dirname(path), `.skein-${randomUUID()}.tmp`);
  try {
    writeFileSync(temporary, bytes, { flag: 'wx', flush: true });
    renameSync(temporary, path);
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw unusable(path, 'cannot be written', cause);
  }
}

/** Whether both paths lead to one file, by whatever links. */
export function isSameFile(a: string, b: string): boolean {
  const [one, other] = [statOf(a), statOf(b)];
  return one !== undefined && one.dev === other?.dev && one.ino === other.ino;
}

function read(path: string): Uint8Array {
  const stat = statOf(path);
  // A device or a pipe may have no end.
  if (stat?.isFile() === false) throw unusable(path, 'is no regular file');
  if (stat && stat.size > MAX_OBJECT_MIB << 20)
    throw unusable(path, `is larger than ${MAX_OBJECT_MIB} MiB`);
  try {
    return readFileSync(path);
  } catch (cause) {
    throw unusable(path, 'cannot be read', cause);
  }
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (cause) {
    throw unusable(path, 'cannot be looked up', cause);
  }
}

function unusable(path: string, what: string, cause?: unknown): SkeinError {
  const why = cause instanceof Error && 'code' in cause ? ` (${cause.code})` : '';
  return new SkeinError('SKEIN_INVALID_ARGUMENT', `${path} ${what}${why}`, {
    cause,
    remedy: 'Correct the path, or its permissions.',
  });
}

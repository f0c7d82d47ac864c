import { dumpProgram } from '#agent/engine/userspace/object/dump-program.ts';
import { readObject } from '#agent/object/read-object.ts';
import type { Assembly } from '#common/assembly.ts';

/**
 * The programs of an object as the userspace engine links them, before verification.
 *
 * @param wanted the name of one; undefined: all
 * @throws SkeinError as dumpProgram() does
 */
export function dumpObject(bytes: Uint8Array, wanted?: string): readonly Assembly[] {
  const spec = readObject(bytes);
  const names = wanted === undefined ? spec.programs.map(({ name }) => name) : [wanted];
  return names.map((name) => dumpProgram(spec, name));
}

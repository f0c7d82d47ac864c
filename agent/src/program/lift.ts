import { readObject } from '../object/read-object.ts';
import type { ObjectSpec } from '../object/spec.ts';
import { readElfImage } from './elf-image.ts';
import { liftCode } from './lift-code.ts';
import { liftExt } from './lift-ext.ts';
import { liftPointers } from './lift-pointers.ts';
import { liftSites } from './lift-sites.ts';
import type { LiftedObject } from './lifted.ts';

/**
 * Takes an object apart. A pure function of its bytes, safe on hostile ones. The result shares the bytes:
 * do not change them afterwards.
 * @param spec what readObject() made of the same bytes, when the caller has it already
 * @throws SkeinError SKEIN_BAD_OBJECT, "PLACE, offset 0x..: WHAT", and nothing else
 */
export function lift(bytes: Uint8Array, spec: ObjectSpec = readObject(bytes)): LiftedObject {
  const elf = readElfImage(bytes, spec);
  const code = liftCode(spec);
  const keySymbols = liftSites(spec, code);
  const ext = liftExt(spec, code);
  const pinned = liftPointers(spec, code);
  const functions = code.functions.map((fn) => ({
    ...fn,
    info: ext.functions.get(fn.id),
    pinned: pinned.has(fn.id),
  }));
  return { spec, elf, functions, keySymbols, ext: ext.ext, edited: false };
}

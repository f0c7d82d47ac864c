import { lower } from '../../program/lower.ts';
import type { ReadUnit } from './read-unit.ts';
import { markUnit } from './site-marks.ts';

/**
 * The object as stock kernels take it: every site loads and tests its key's variable, and can be found in the loaded
 * program.
 * @throws SkeinError SKEIN_BAD_OBJECT, SKEIN_CANNOT_LOWER
 */
export const dynamicObject = (unit: ReadUnit): Uint8Array => lower(markUnit(unit).lifted);

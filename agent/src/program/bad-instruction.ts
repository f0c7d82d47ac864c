import type { SkeinError } from '#common/errors.ts';
import { badObject } from '../object/byte-view.ts';
import { SLOT } from '../object/instructions.ts';

/** SKEIN_BAD_OBJECT that names section and instruction. */
export const badInstruction = (section: string, slot: number, what: string): SkeinError =>
  badObject(`section ${section}`, slot * SLOT, `instruction ${slot}: ${what}`);

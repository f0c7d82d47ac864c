import type { SkeinError } from '#common/errors.ts';
import type { ByteView } from './byte-view.ts';
import { SLOT } from './instructions.ts';
import type { StaticBranch } from './spec.ts';

/** What the instructions of a site say about it. */
export type SiteForm = Pick<StaticBranch, 'encoding' | 'inverse' | 'start'>;

/** SKEIN_BAD_OBJECT that names the instruction at a byte offset of the code. */
export const badSite = (code: ByteView, at: number, what: string): SkeinError =>
  code.error(at, `instruction ${at / SLOT}: ${what}`);

import { SkeinError } from '#common/errors.ts';

/** For what an object needs and the userspace engine has not. */
export const notForRuntimes = (message: string): SkeinError =>
  new SkeinError('SKEIN_BAD_PROGRAM', message, {
    remedy: 'The userspace engine has no such thing: leave it out, or use the kernel engine.',
  });

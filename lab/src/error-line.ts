import { isErrorCode, SkeinError } from '#common/errors.ts';

/**
 * The error that a process of Skein ended with, from the line that says it: `SKEIN_CODE: what. Remedy.`, which the
 * command puts `error: ` before.
 *
 * @param who ended, for the message
 * @param remedy besides the line's own
 * @returns undefined for any other line
 */
export function errorOfLine(line: string, who: string, remedy: string): SkeinError | undefined {
  const [, code = '', message = ''] = /^(?:error: )?(SKEIN_\w+): (.*)$/m.exec(line) ?? [];
  return isErrorCode(code) ? new SkeinError(code, `${who}: ${message}`, { remedy }) : undefined;
}

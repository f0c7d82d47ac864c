import { buffer } from 'node:stream/consumers';
import { SkeinError } from '#common/errors.ts';

/** Bytes written as pairs of hex digits, with white space wherever one likes. */
export function parseHex(text: string, place: string): Uint8Array {
  const digits = text.replaceAll(/\s+/g, '');
  const wrong = digits.search(/[^0-9a-fA-F]/);
  if (wrong >= 0)
    throw badHex(place, `"${digits[wrong]}", digit ${wrong + 1}, is no hexadecimal digit`);
  if (digits.length % 2 !== 0) throw badHex(place, `${digits.length} digits: half a byte is left`);
  return Buffer.from(digits, 'hex');
}

/** The slot of each site → the value of its key. */
export function parseSites(settings: readonly string[]): ReadonlyMap<number, boolean> {
  const keys = new Map<number, boolean>();
  for (const setting of settings) {
    const [, slot, value] = /^(\d{1,7})=(on|off)$/.exec(setting) ?? [];
    if (slot === undefined || keys.has(Number(slot)))
      throw new SkeinError(
        'SKEIN_INVALID_ARGUMENT',
        `--set: "${setting}" ${slot === undefined ? 'is not SITE=on or SITE=off' : 'is given twice'}`,
        { remedy: 'Name each site once, by the number of its instruction.' },
      );
    keys.set(Number(slot), value === 'on');
  }
  return keys;
}

export async function readStandardInput(): Promise<string> {
  return (await buffer(process.stdin)).toString('latin1');
}

function badHex(place: string, what: string): SkeinError {
  return new SkeinError('SKEIN_INVALID_ARGUMENT', `${place}: ${what}`, {
    remedy: 'Give bytes as pairs of hexadecimal digits.',
  });
}

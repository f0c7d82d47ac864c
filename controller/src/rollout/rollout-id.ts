import { randomInt } from 'node:crypto';

/** Without those that are read as others. */
const LETTERS = 'abcdefghjkmnpqrstuvwxyz23456789';
const LENGTH = 4;
/** What is left of a long name still makes an id that is a valid name. */
const MAX_NAME = 100;

/** "net-drop-icmp-7k2m": tells people which key it is of. */
export function newRolloutId(key: string, isTaken: (id: string) => boolean): string {
  const name = key.replaceAll(/[._]/g, '-').slice(0, MAX_NAME);
  for (;;) {
    const letters = Array.from({ length: LENGTH }, () => LETTERS[randomInt(LETTERS.length)]);
    const id = `${name}-${letters.join('')}`;
    if (!isTaken(id)) return id;
  }
}

import type { mulberry32 } from '../../../../test/support/random.ts';

const INTERESTING = [0, 1, 5, 7, 8, 0x7f, 0x80, 0xff, 0xff00, 0xffff, 0x7fffffff, 0xffffffff];

/** Changes some bytes from `at` on, of which there must be 8: a bit, a word to a telling one or near what it was, or a copy. */
export function mutate(
  bytes: Uint8Array,
  random: ReturnType<typeof mulberry32>,
  at = random(bytes.length - 8),
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const word = at & ~3;
  switch (random(5)) {
    case 0:
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
      break;
    case 1:
      view.setUint32(word, INTERESTING[random(INTERESTING.length)] ?? 0, true);
      break;
    case 2:
      view.setUint32(word, view.getUint32(word, true) + random(17) - 8, true);
      break;
    case 3:
      bytes.copyWithin(at, random(bytes.length), random(bytes.length));
      break;
    default:
      // Whole instructions.
      bytes.copyWithin(at & ~7, random(bytes.length / 8) * 8, random(bytes.length / 8) * 8);
  }
}

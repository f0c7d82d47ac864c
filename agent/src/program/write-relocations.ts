import { SkeinError } from '#common/errors.ts';
import type { PlacedRelocation } from './write-code.ts';

const REL_SIZE = 16;

/** Encodes relocations, sorted by offset; symbol numbers become new ones. */
export function encodeRelocations(
  relocations: readonly PlacedRelocation[],
  numbers: ReadonlyMap<number, number>,
): Uint8Array {
  const bytes = new Uint8Array(relocations.length * REL_SIZE);
  const view = new DataView(bytes.buffer);
  relocations.forEach(({ offset, type, symbol }, index) => {
    view.setBigUint64(index * REL_SIZE, BigInt(offset), true);
    view.setUint32(index * REL_SIZE + 8, type, true);
    view.setUint32(index * REL_SIZE + 12, newNumber(numbers, symbol), true);
  });
  return bytes;
}

/** The same relocations with new symbol numbers. */
export function renumberRelocations(
  old: Uint8Array,
  numbers: ReadonlyMap<number, number>,
): Uint8Array {
  const bytes = new Uint8Array(old);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < bytes.length; at += REL_SIZE)
    view.setUint32(at + 12, newNumber(numbers, view.getUint32(at + 12, true)), true);
  return bytes;
}

function newNumber(numbers: ReadonlyMap<number, number>, old: number): number {
  const number = numbers.get(old);
  if (number === undefined)
    throw new SkeinError(
      'SKEIN_CANNOT_LOWER',
      `a relocation names symbol ${old}, whose code is gone`,
    );
  return number;
}

import { SLOT } from '../object/instructions.ts';
import { STT_SECTION } from '../object/symbols.ts';
import { slotsIn } from './instruction.ts';
import type { Layout } from './layout.ts';
import type { LiftedObject } from './lifted.ts';

const SYM_SIZE = 24;

/** The symbols of an object after its code was laid out. Old numbers are those of the spec. */
export interface PlacedSymbols {
  /** By old number: bytes into the section. */
  readonly values: readonly number[];
  /** Old numbers of functions and labels: those whose values are new. */
  readonly placed: ReadonlySet<number>;
  /** By old number: the size of a function, in bytes. */
  readonly sizes: ReadonlyMap<number, number>;
  /** Old numbers of those that stay, in order. */
  readonly kept: readonly number[];
  /** By old number. */
  readonly numbers: ReadonlyMap<number, number>;
}

/** Gives symbols of code their new values, and drops those of what is gone. */
export function placeSymbols(
  { spec, functions, edited }: LiftedObject,
  layout: Layout,
  isLeftOut: (section: number) => boolean,
): PlacedSymbols {
  const values = spec.symbols.map(({ offset }) => offset);
  const sizes = new Map<number, number>();
  const placed = new Set<number>();
  for (const { id, symbol, body } of functions) {
    values[symbol] = (layout.starts.get(id) ?? 0) * SLOT;
    sizes.set(symbol, slotsIn(body) * SLOT);
    placed.add(symbol);
    for (const instruction of body) {
      if (instruction.notes === undefined) continue;
      for (const label of instruction.notes.labels) {
        values[label] = layout.slotOf(instruction) * SLOT;
        placed.add(label);
      }
    }
  }
  const stays = (number: number): boolean => {
    const symbol = spec.symbols[number];
    if (!edited || symbol?.section === undefined) return true;
    if (isLeftOut(symbol.section)) return false;
    const inCode = spec.sections[symbol.section]?.executable === true;
    return !inCode || symbol.type === STT_SECTION || placed.has(number);
  };
  const kept = spec.symbols.map((_, number) => number).filter(stays);
  return {
    values,
    placed,
    sizes,
    kept,
    numbers: new Map(kept.map((old, number) => [old, number])),
  };
}

/** Encodes the symbol table. `sectionNumber` gives new section numbers for old ones. */
export function writeSymbols(
  { spec, elf }: LiftedObject,
  { values, placed, sizes, kept }: PlacedSymbols,
  sectionNumber: (old: number) => number,
): Uint8Array {
  const old = spec.sections[elf.symbolTable]?.bytes ?? new Uint8Array();
  const bytes = new Uint8Array(kept.length * SYM_SIZE);
  const view = new DataView(bytes.buffer);
  kept.forEach((number, index) => {
    const at = index * SYM_SIZE;
    bytes.set(old.subarray(number * SYM_SIZE, (number + 1) * SYM_SIZE), at);
    const section = spec.symbols[number]?.section;
    if (section === undefined) return;
    view.setUint16(at + 6, sectionNumber(section), true);
    if (placed.has(number)) view.setBigUint64(at + 8, BigInt(values[number] ?? 0), true);
    const size = sizes.get(number);
    if (size !== undefined) view.setBigUint64(at + 16, BigInt(size), true);
  });
  return bytes;
}

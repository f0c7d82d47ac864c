import { SLOT } from '../object/instructions.ts';
import { TABLE_SECTION } from '../object/key-table.ts';
import { fitJumps } from './fit-jumps.ts';
import { type Layout, layOut } from './layout.ts';
import { isLeftOutByEdits } from './lift-pointers.ts';
import { isTable } from './lift-sites.ts';
import type { LiftedObject } from './lifted.ts';
import { OutputSections, type Word } from './output-sections.ts';
import { writeCode } from './write-code.ts';
import { writeExt } from './write-ext.ts';
import { placeSymbols, writeSymbols } from './write-symbols.ts';
import { listSites, writeTable } from './write-tables.ts';

export interface LowerOptions {
  /** The kernel knows `gotol`, the jump with 32 bits (6.6 and later). */
  readonly gotol?: boolean;
}

/**
 * Lays an object out and writes it as a BPF ELF object that any stock loader takes. Of an object that was
 * only lifted, every section is byte for byte what it was.
 * @throws SkeinError SKEIN_CANNOT_LOWER when a jump became too long for the kernel's instructions
 */
export function lower(lifted: LiftedObject, { gotol = false }: LowerOptions = {}): Uint8Array {
  return lifted.edited ? write(fitJumps(lifted, gotol)) : write(lifted);
}

function write(lifted: LiftedObject): Uint8Array {
  const { spec, elf, edited } = lifted;
  const layout = layOut(lifted);
  const sites = listSites(lifted);
  const isGone = (number: number): boolean => {
    const section = spec.sections[number];
    if (!edited || section === undefined || number === elf.sectionNames) return false;
    return isTable(section) ? !sites.has(number) : isLeftOutByEdits(section);
  };
  const symbols = placeSymbols(lifted, layout, isGone);
  const symbolValue = (symbol: number): number => symbols.values[symbol] ?? 0;

  const output = new OutputSections(lifted, symbols.numbers, isGone);
  for (const [number, functions] of layout.functions) {
    const code = writeCode(functions, layout.sizes.get(number) ?? 0, layout, symbolValue);
    output.replace(number, code);
  }
  for (const [number, listed] of sites) {
    const table = writeTable(listed, layout, symbolValue);
    if (number === undefined) output.append(TABLE_SECTION, table);
    else output.replace(number, table);
  }
  if (lifted.ext !== undefined) output.replace(lifted.ext.section, writeExt(lifted.ext, layout));
  patchPointers(lifted, layout, symbolValue, output);
  return output.write((sectionNumber) => writeSymbols(lifted, symbols, sectionNumber));
}

/** Data that holds addresses of code. */
function patchPointers(
  { functions }: LiftedObject,
  layout: Layout,
  symbolValue: (symbol: number) => number,
  output: OutputSections,
): void {
  const bySection = new Map<number, Word[]>();
  for (const { body } of functions) {
    for (const instruction of body) {
      if (instruction.notes === undefined) continue;
      for (const { section, offset, width, symbol } of instruction.notes.pointers) {
        const value = layout.slotOf(instruction) * SLOT - symbolValue(symbol);
        const words = bySection.get(section) ?? [];
        bySection.set(section, words);
        words.push({ offset, width, value });
      }
    }
  }
  for (const [section, words] of bySection) output.patch(section, words);
}

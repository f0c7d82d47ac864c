import { FunctionTable } from '../object/functions.ts';
import { SLOT } from '../object/instructions.ts';
import { R_BPF_64_ABS32, R_BPF_64_ABS64, R_BPF_64_NODYLD32 } from '../object/relocations.ts';
import { viewOf } from '../object/sections.ts';
import type { ObjectSpec, Section } from '../object/spec.ts';
import { notesOf } from './instruction.ts';
import { isTable } from './lift-sites.ts';
import type { FunctionId } from './lifted.ts';
import type { LiftedCode } from './lifted-code.ts';

/** What an edit leaves out, because nobody can keep it right: DWARF, and lists of symbol numbers. */
export const isLeftOutByEdits = ({ name }: Section): boolean =>
  /^\.(debug_|eh_frame|llvm_addrsig|group)/.test(name);

/** Bytes of the field that a relocation in data applies to. */
const WIDTH: ReadonlyMap<number, number> = new Map([
  [R_BPF_64_ABS64, 8],
  [R_BPF_64_ABS32, 4],
  [R_BPF_64_NODYLD32, 4],
]);

/**
 * Hangs pointers from data into code on the instructions that they point at: programs in maps and
 * struct_ops. @returns the functions that have such an instruction
 */
export function liftPointers(spec: ObjectSpec, code: LiftedCode): ReadonlySet<FunctionId> {
  const pinned = new Set<FunctionId>();
  const owners = new FunctionTable(spec.functions);
  const numbers = new Map(spec.symbols.map((symbol, number) => [symbol, number]));
  for (const section of spec.sections) {
    if (section.executable || section.name === '.BTF.ext') continue;
    if (isLeftOutByEdits(section) || isTable(section)) continue;
    const view = viewOf(section);
    for (const { offset, type, symbol } of section.relocations) {
      const width = WIDTH.get(type);
      const slots = code.slots.get(symbol.section ?? 0);
      if (width === undefined || slots === undefined || symbol.section === undefined) continue;
      const addend = width === 8 ? view.u64(offset) : view.u32(offset);
      const slot = (symbol.offset + addend) / SLOT;
      const instruction = slots[slot];
      if (instruction === undefined) throw view.error(offset, 'a pointer to no instruction');
      notesOf(instruction).pointers.push({
        section: section.index,
        offset,
        width,
        type,
        symbol: numbers.get(symbol) ?? 0,
      });
      const owner = owners.at(spec.sections[symbol.section]?.name ?? '', slot);
      const fn = code.starts.get(symbol.section)?.get(owner?.instruction ?? -1);
      if (fn !== undefined) pinned.add(fn.id);
    }
  }
  return pinned;
}

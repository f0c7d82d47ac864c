import { lastAtOrBefore } from './ordered.ts';
import { type SectionHeader, SHT_REL, viewOf } from './sections.ts';
import type { Relocation, Section } from './spec.ts';
import type { SymbolTable } from './symbols.ts';

/**
 * Relocation types of the kernel's Documentation/bpf/llvm_reloc.rst. All are REL: the addend is in the
 * bytes that the relocation applies to.
 */
export const R_BPF_64_64 = 1;
export const R_BPF_64_ABS64 = 2;
export const R_BPF_64_ABS32 = 3;
export const R_BPF_64_NODYLD32 = 4;
export const R_BPF_64_32 = 10;

/** A place in the object: a section and bytes into it. */
export interface Address {
  readonly section: Section;
  readonly offset: number;
}

const REL_SIZE = 16;
/** The narrowest field that a relocation applies to. */
const MIN_FIELD = 4;

/** Reads every relocation section into the section that it applies to. */
export function readRelocations(headers: readonly SectionHeader[], table: SymbolTable): void {
  const touched = new Set<SectionHeader>();
  for (const header of headers) {
    if (header.section.type === SHT_REL) touched.add(readRelocationSection(headers, table, header));
  }
  for (const { relocations } of touched) relocations.sort((a, b) => a.offset - b.offset);
}

/** The relocation at a byte offset of a section. */
export function relocationAt(section: Section, offset: number): Relocation | undefined {
  const found = lastAtOrBefore(section.relocations, offset, (relocation) => relocation.offset);
  return found?.offset === offset ? found : undefined;
}

/** What a relocation with this addend points at; undefined for a symbol that is in no section. */
export function resolve(
  sections: readonly Section[],
  { symbol }: Relocation,
  addend: number,
): Address | undefined {
  const section = symbol.section === undefined ? undefined : sections[symbol.section];
  return section && { section, offset: symbol.offset + addend };
}

function readRelocationSection(
  headers: readonly SectionHeader[],
  table: SymbolTable,
  { section, link, info }: SectionHeader,
): SectionHeader {
  const view = viewOf(section);
  const target = headers[info];
  if (target === undefined || info === 0) throw view.error(0, `relocations of section ${info}`);
  if (link !== table.section)
    throw view.error(0, `symbols in section ${link}, which is no symbol table`);
  if (view.length % REL_SIZE !== 0)
    throw view.error(
      view.length,
      `${view.length} bytes of relocations, not a multiple of ${REL_SIZE}`,
    );

  for (let at = 0; at < view.length; at += REL_SIZE) {
    const offset = view.u64(at);
    if (offset + MIN_FIELD > target.section.size)
      throw view.error(
        at,
        `a relocation at 0x${offset.toString(16)}, outside ${target.section.name}`,
      );
    const symbol = table.symbols[view.u32(at + 12)];
    if (symbol === undefined)
      throw view.error(at + 8, `symbol ${view.u32(at + 12)} of ${table.symbols.length}`);
    target.relocations.push({ offset, type: view.u32(at + 8), symbol });
  }
  return target;
}

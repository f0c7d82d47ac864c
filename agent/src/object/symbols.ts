import { ByteView, badObject } from './byte-view.ts';
import { type SectionHeader, SHT_SYMTAB, viewOf } from './sections.ts';
import type { ElfSymbol } from './spec.ts';

const SYM_SIZE = 24;
const SHN_UNDEF = 0;
const SHN_LORESERVE = 0xff00;
const SHN_XINDEX = 0xffff;
const STB_LOCAL = 0;

export const STT_OBJECT = 1;
export const STT_FUNC = 2;
export const STT_SECTION = 3;

export interface SymbolTable {
  readonly symbols: readonly ElfSymbol[];
  /** Index of the section that holds them; absent when the object has none. */
  readonly section: number | undefined;
}

/** Reads the symbol table. An object has at most one, as in libbpf. */
export function readSymbols(headers: readonly SectionHeader[]): SymbolTable {
  const [table, second] = headers.filter(({ section }) => section.type === SHT_SYMTAB);
  if (table === undefined) return { symbols: [], section: undefined };
  const view = viewOf(table.section);
  if (second !== undefined)
    throw badObject(`section ${second.section.name}`, 0, 'a second symbol table');
  if (view.length % SYM_SIZE !== 0)
    throw view.error(
      view.length,
      `a symbol table of ${view.length} bytes, not a multiple of ${SYM_SIZE}`,
    );
  const strings = headers[table.link];
  if (strings === undefined)
    throw view.error(0, `symbol names in section ${table.link}, which is not there`);
  const names = new ByteView(strings.section.bytes, `section ${strings.section.name}`);

  const count = view.length / SYM_SIZE;
  const symbols = Array.from({ length: count }, (_, index) =>
    readSymbol(view, names, headers.length, index * SYM_SIZE),
  );
  return { symbols, section: table.section.index };
}

function readSymbol(view: ByteView, names: ByteView, sections: number, at: number): ElfSymbol {
  const nameOffset = view.u32(at);
  const info = view.u8(at + 4);
  const section = view.u16(at + 6);
  if (section === SHN_XINDEX || (section >= sections && section < SHN_LORESERVE))
    throw view.error(at + 6, `a symbol in section ${section} of ${sections}`);
  return {
    name: nameOffset === 0 ? '' : names.name(nameOffset),
    type: info & 0xf,
    global: info >> 4 !== STB_LOCAL,
    section: section === SHN_UNDEF || section >= SHN_LORESERVE ? undefined : section,
    offset: view.u64(at + 8),
    size: view.u64(at + 16),
  };
}

import { fixture } from './fixtures.ts';

/** A section to be built. Numbers of sections and symbols count from 1, as in the file. */
export interface BuiltSection {
  readonly name: string;
  /** `sh_type` */
  readonly type: number;
  /** `sh_flags` */
  readonly flags?: number;
  readonly bytes: Uint8Array;
  /** Of a relocation section: the section that it applies to. */
  readonly appliesTo?: number;
}

export interface BuiltSymbol {
  readonly name: string;
  /** `STT_*` */
  readonly type: number;
  readonly section: number;
  readonly offset: number;
  readonly size: number;
}

/** Offset, `R_BPF_*`, number of the symbol. */
export type BuiltRelocation = readonly [offset: number, type: number, symbol: number];

const SHT_SYMTAB = 2;
const SHT_STRTAB = 3;
const SHT_REL = 9;
const STB_GLOBAL = 1;
const HEADER = 64;

/** A BPF object that no compiler would make: of the given sections, all symbols global. */
export function buildElf(
  sections: readonly BuiltSection[],
  symbols: readonly BuiltSymbol[],
): Uint8Array {
  const names = new Names();
  const symbolTable = sections.length + 1;
  const table = new Uint8Array(24 * (symbols.length + 1));
  const view = new DataView(table.buffer);
  symbols.forEach(({ name, type, section, offset, size }, index) => {
    const at = 24 * (index + 1);
    view.setUint32(at, names.add(name), true);
    view.setUint8(at + 4, (STB_GLOBAL << 4) | type);
    view.setUint16(at + 6, section, true);
    view.setBigUint64(at + 8, BigInt(offset), true);
    view.setBigUint64(at + 16, BigInt(size), true);
  });
  const headers = [
    { name: '', type: 0, bytes: new Uint8Array() },
    ...sections,
    { name: '.symtab', type: SHT_SYMTAB, bytes: table },
    { name: '.strtab', type: SHT_STRTAB, bytes: new Uint8Array() },
  ].map((section) => ({ ...section, nameAt: names.add(section.name) }));
  const contents = headers.map(({ name, bytes }) => (name === '.strtab' ? names.bytes() : bytes));
  const offsets: number[] = [];
  let end = HEADER;
  for (const { length } of contents) {
    offsets.push(end);
    end += Math.ceil(length / 8) * 8;
  }
  const file = new Uint8Array(end + HEADER * headers.length);
  file.set(fixture('no-keys.o').subarray(0, HEADER));
  const data = new DataView(file.buffer);
  data.setBigUint64(40, BigInt(end), true);
  data.setUint16(60, headers.length, true);
  data.setUint16(62, headers.length - 1, true);
  headers.forEach(({ nameAt, type, flags = 0, appliesTo = 0 }: BuiltHeader, index) => {
    const at = end + HEADER * index;
    const bytes = contents[index] ?? new Uint8Array();
    file.set(bytes, offsets[index]);
    data.setUint32(at, nameAt, true);
    data.setUint32(at + 4, type, true);
    data.setUint32(at + 8, flags, true);
    data.setBigUint64(at + 24, BigInt(offsets[index] ?? 0), true);
    data.setBigUint64(at + 32, BigInt(bytes.length), true);
    data.setUint32(at + 40, linkOf(type, symbolTable), true);
    data.setUint32(at + 44, type === SHT_SYMTAB ? 1 : appliesTo, true);
  });
  return file;
}

type BuiltHeader = BuiltSection & { readonly nameAt: number };

const linkOf = (type: number, symbolTable: number): number => {
  if (type === SHT_REL) return symbolTable;
  return type === SHT_SYMTAB ? symbolTable + 1 : 0;
};

/** A section of relocations. */
export function buildRelocations(
  appliesTo: number,
  relocations: readonly BuiltRelocation[],
): BuiltSection {
  const bytes = new Uint8Array(16 * relocations.length);
  const view = new DataView(bytes.buffer);
  relocations.forEach(([offset, type, symbol], index) => {
    view.setBigUint64(16 * index, BigInt(offset), true);
    view.setUint32(16 * index + 8, type, true);
    view.setUint32(16 * index + 12, symbol, true);
  });
  return { name: '.rel', type: SHT_REL, bytes, appliesTo };
}

class Names {
  #text = '\0';

  /** @returns where it is */
  add(name: string): number {
    const at = this.#text.length;
    this.#text += `${name}\0`;
    return at;
  }

  bytes(): Uint8Array {
    return new TextEncoder().encode(this.#text);
  }
}

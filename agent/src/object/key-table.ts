import {
  type Address,
  R_BPF_64_ABS32,
  R_BPF_64_ABS64,
  R_BPF_64_NODYLD32,
  resolve,
} from './relocations.ts';
import { viewOf } from './sections.ts';
import type { Section } from './spec.ts';

export const TABLE_SECTION = '.static_keys';

/** `.long site - .; .long target - .; .quad key + inverse` */
export const ENTRY_SIZE = 16;
/** Of a field that holds a place in the code. */
export const PLACE_TYPES = [R_BPF_64_ABS32, R_BPF_64_NODYLD32] as const;
const FIELDS = [
  { at: 0, types: PLACE_TYPES },
  { at: 4, types: PLACE_TYPES },
  { at: 8, types: [R_BPF_64_ABS64] },
] as const;

/** One entry of a table of sites, resolved to addresses, not yet held against the code. */
export interface SiteEntry {
  readonly table: Section;
  /** Of the entry in the table. */
  readonly offset: number;
  readonly site: Address;
  readonly target: Address;
  readonly key: Address;
  /** Undefined where the table leaves that to the instruction. */
  readonly inverse: boolean | undefined;
}

/** Reads every `.static_keys` section; none is an empty table. */
export function readKeyTable(sections: readonly Section[]): readonly SiteEntry[] {
  return sections
    .filter((section) => section.name === TABLE_SECTION)
    .flatMap((section) => readTable(sections, section));
}

function readTable(sections: readonly Section[], table: Section): readonly SiteEntry[] {
  const view = viewOf(table);
  const count = countEntries(table, ENTRY_SIZE, FIELDS.length);
  return Array.from({ length: count }, (_, index) => {
    const offset = index * ENTRY_SIZE;
    const field = (number: 0 | 1 | 2, addend: number) => {
      const { at, types } = FIELDS[number];
      const place = { at: offset + at, relocation: index * FIELDS.length + number, types };
      return readAddress(sections, table, place, addend);
    };
    const key = field(2, view.u64(offset + 8));
    // Keys are aligned to 4 bytes, so bit 0 of the address is free.
    const inverse = key.offset % 2 === 1;
    return {
      table,
      offset,
      // Written relative to the entry, but assembled without the "- .": BPF has no relocation for a
      // 4-byte difference, so LLVM emits an absolute one, against the section, addend in place.
      site: field(0, view.u32(offset)),
      target: field(1, view.u32(offset + 4)),
      key: inverse ? { section: key.section, offset: key.offset - 1 } : key,
      inverse,
    };
  });
}

/** The number of entries in a table whose entries have so many bytes and relocated fields each. */
export function countEntries(table: Section, entrySize: number, fields: number): number {
  const { length } = table.bytes;
  if (length % entrySize !== 0)
    throw viewOf(table).error(length, `${length} bytes, not a multiple of ${entrySize}`);
  const count = length / entrySize;
  if (table.relocations.length !== count * fields)
    throw viewOf(table).error(
      0,
      `${table.relocations.length} relocations for ${count} entries of ${fields}`,
    );
  return count;
}

/** The address in a field. Relocations are sorted, so that those of entry i are the i-th few. */
export function readAddress(
  sections: readonly Section[],
  table: Section,
  { at, relocation: index, types }: { at: number; relocation: number; types: readonly number[] },
  addend: number,
): Address {
  const view = viewOf(table);
  const relocation = table.relocations[index];
  if (relocation?.offset !== at) throw view.error(at, 'no relocation, or more than one, here');
  if (!types.some((type) => type === relocation.type))
    throw view.error(at, `relocation type ${relocation.type}, not ${types.join(' or ')}`);
  const address = resolve(sections, relocation, addend);
  if (address === undefined)
    throw view.error(at, `${relocation.symbol.name || 'a symbol'} is not in this object`);
  return address;
}

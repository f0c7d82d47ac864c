import { ByteView, badObject } from './byte-view.ts';
import type { Relocation, Section } from './spec.ts';

/** Values of the ELF-64 object file format that the front end uses (System V gABI, chapters 4 and 5). */
const ELF_MAGIC = 0x464c457f;
const ELFCLASS64 = 2;
const ELFDATA2LSB = 1;
const ELFDATA2MSB = 2;
const ET_REL = 1;
const EM_BPF = 247;
const EHDR_SIZE = 64;
const SHDR_SIZE = 64;
const SHN_LORESERVE = 0xff00;
const SHF_WRITE = 1;
const SHF_ALLOC = 2;
const SHF_EXECINSTR = 4;

const SHT_NULL = 0;
export const SHT_PROGBITS = 1;
export const SHT_SYMTAB = 2;
export const SHT_NOBITS = 8;
export const SHT_REL = 9;

/** A section header with the fields that only the reader needs. */
export interface SectionHeader {
  readonly section: Section;
  /** Where `section.relocations` is filled from; the spec shows it read-only. */
  readonly relocations: Relocation[];
  readonly link: number;
  readonly info: number;
}

/** Reads the ELF header and every section header. */
export function readSections(bytes: Uint8Array): readonly SectionHeader[] {
  const file = new ByteView(bytes, 'ELF header');
  checkHeader(file);
  const tableOffset = file.u64(40);
  const count = file.u16(60);
  const nameIndex = file.u16(62);
  if (file.u16(58) !== SHDR_SIZE)
    throw file.error(58, `section headers are not ${SHDR_SIZE} bytes long`);
  if (count === 0 || count >= SHN_LORESERVE) throw file.error(60, `${count} sections`);
  if (nameIndex >= count) throw file.error(62, `section names in section ${nameIndex} of ${count}`);
  if (tableOffset < EHDR_SIZE || tableOffset + count * SHDR_SIZE > bytes.length)
    throw file.error(
      40,
      `${count} section headers do not fit into the file of ${bytes.length} bytes`,
    );
  const table = new ByteView(file.slice(tableOffset, count * SHDR_SIZE), 'section headers');

  checkOverlap(bytes, table, count);
  const names = new ByteView(contents(bytes, table, nameIndex), 'section names');
  return Array.from({ length: count }, (_, index) => readSection(bytes, table, names, index));
}

/** A reader over a section's bytes, with the section's name in its errors. */
export const viewOf = (section: Section): ByteView =>
  new ByteView(section.bytes, `section ${section.name}`);

function checkHeader(file: ByteView): void {
  if (file.length < 4 || file.u32(0) !== ELF_MAGIC) throw file.error(0, 'not an ELF file');
  if (file.u8(4) !== ELFCLASS64) throw file.error(4, 'not a 64-bit ELF file');
  const order = file.u8(5);
  if (order === ELFDATA2MSB)
    throw file.error(5, 'a big-endian object', 'Compile it with clang -target bpfel.');
  if (order !== ELFDATA2LSB) throw file.error(5, `unknown byte order ${order}`);
  if (file.u16(18) !== EM_BPF)
    throw file.error(18, `made for machine ${file.u16(18)}, not BPF (${EM_BPF})`);
  if (file.u16(16) !== ET_REL)
    throw file.error(16, `ELF type ${file.u16(16)}, not a relocatable object`);
}

function readSection(
  bytes: Uint8Array,
  table: ByteView,
  names: ByteView,
  index: number,
): SectionHeader {
  const at = index * SHDR_SIZE;
  const flags = table.u32(at + 8);
  const relocations: Relocation[] = [];
  const section: Section = {
    index,
    name: names.name(table.u32(at)),
    type: table.u32(at + 4),
    executable: (flags & SHF_EXECINSTR) !== 0,
    writable: (flags & SHF_WRITE) !== 0,
    allocated: (flags & SHF_ALLOC) !== 0,
    size: table.u64(at + 32),
    bytes: contents(bytes, table, index),
    relocations,
  };
  return { section, relocations, link: table.u32(at + 40), info: table.u32(at + 44) };
}

const hasBytes = (type: number): boolean => type !== SHT_NULL && type !== SHT_NOBITS;

function contents(bytes: Uint8Array, table: ByteView, index: number): Uint8Array {
  const at = index * SHDR_SIZE;
  const offset = table.u64(at + 24);
  const size = table.u64(at + 32);
  if (!hasBytes(table.u32(at + 4)) || size === 0) return bytes.subarray(0, 0);
  if (offset + size > bytes.length)
    throw table.error(
      at + 24,
      `section ${index} has ${size} bytes at 0x${offset.toString(16)} of a file of ${bytes.length}`,
    );
  return bytes.subarray(offset, offset + size);
}

/** No compiler shares bytes between sections; if they could, reading each would be quadratic. */
function checkOverlap(bytes: Uint8Array, table: ByteView, count: number): void {
  const parts = Array.from({ length: count }, (_, index) => contents(bytes, table, index))
    .map((part, index) => ({ index, start: part.byteOffset, end: part.byteOffset + part.length }))
    .filter((part) => part.end > part.start)
    .sort((a, b) => a.start - b.start);
  let before = parts[0];
  for (const part of parts.slice(1)) {
    if (before !== undefined && part.start < before.end)
      throw badObject(
        table.place,
        part.index * SHDR_SIZE + 24,
        `sections ${before.index} and ${part.index} overlap`,
      );
    before = part;
  }
}

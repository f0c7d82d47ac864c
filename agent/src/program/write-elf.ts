import { SHT_NOBITS } from '../object/sections.ts';
import { EHDR_SIZE, SHDR_SIZE } from './elf-image.ts';
import type { SectionHeader } from './lifted.ts';

const SHT_NULL = 0;

/** A section to be written; `link` and `info` of its header are final. */
export interface OutputSection {
  readonly header: SectionHeader;
  readonly bytes: Uint8Array;
  /** In memory; differs from that of the bytes for a `.bss` only. */
  readonly size: number;
}

/**
 * Writes an ELF file: contents in the order that the sections had in their file, new ones last, then
 * the section headers, as LLVM does.
 */
export function writeElf(
  elfHeader: Uint8Array,
  sections: readonly OutputSection[],
  namesSection: number,
): Uint8Array {
  const offsets = new Map<OutputSection, number>();
  let end = EHDR_SIZE;
  for (const section of inFileOrder(sections)) {
    end = alignUp(end, section.header.alignment);
    offsets.set(section, end);
    if (section.header.type !== SHT_NOBITS) end += section.bytes.length;
  }
  const headersAt = alignUp(end, 8);
  const file = new Uint8Array(headersAt + sections.length * SHDR_SIZE);
  const view = new DataView(file.buffer);
  file.set(elfHeader.subarray(0, EHDR_SIZE));
  view.setBigUint64(40, BigInt(headersAt), true);
  view.setUint16(60, sections.length, true);
  view.setUint16(62, namesSection, true);
  sections.forEach((section, index) => {
    const offset = offsets.get(section) ?? 0;
    if (section.header.type !== SHT_NOBITS) file.set(section.bytes, offset);
    writeHeader(view, headersAt + index * SHDR_SIZE, section, offset);
  });
  return file;
}

function inFileOrder(sections: readonly OutputSection[]): readonly OutputSection[] {
  return sections
    .filter(({ header }) => header.type !== SHT_NULL)
    .sort((a, b) => a.header.fileOffset - b.header.fileOffset);
}

function writeHeader(
  view: DataView,
  at: number,
  { header, size }: OutputSection,
  offset: number,
): void {
  view.setUint32(at, header.name, true);
  view.setUint32(at + 4, header.type, true);
  view.setBigUint64(at + 8, header.flags, true);
  view.setBigUint64(at + 16, header.address, true);
  view.setBigUint64(at + 24, BigInt(offset), true);
  view.setBigUint64(at + 32, BigInt(size), true);
  view.setUint32(at + 40, header.link, true);
  view.setUint32(at + 44, header.info, true);
  view.setBigUint64(at + 48, BigInt(header.alignment), true);
  view.setBigUint64(at + 56, header.entrySize, true);
}

const alignUp = (offset: number, alignment: number): number =>
  alignment < 2 ? offset : Math.ceil(offset / alignment) * alignment;

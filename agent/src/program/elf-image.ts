import { ByteView, badObject } from '../object/byte-view.ts';
import { SHT_REL, SHT_SYMTAB } from '../object/sections.ts';
import type { ObjectSpec } from '../object/spec.ts';
import { STT_SECTION } from '../object/symbols.ts';
import type { ElfImage, SectionHeader } from './lifted.ts';

export const EHDR_SIZE = 64;
export const SHDR_SIZE = 64;

/** Reads what the spec leaves out; the spec has been read from the same bytes, so that all is in place. */
export function readElfImage(bytes: Uint8Array, spec: ObjectSpec): ElfImage {
  const file = new ByteView(bytes, 'ELF header');
  const count = spec.sections.length;
  const table = new ByteView(file.slice(file.u64(40), count * SHDR_SIZE), 'section headers');
  const sectionHeaders = spec.sections.map((_, index) => readHeader(table, index * SHDR_SIZE));
  refuseSecondRelocations(spec, sectionHeaders);
  return {
    header: file.slice(0, EHDR_SIZE),
    sectionHeaders,
    symbolTable: spec.sections.find((section) => section.type === SHT_SYMTAB)?.index ?? 0,
    sectionNames: file.u16(62),
    sectionSymbols: new Map(
      spec.symbols.flatMap(({ type, section }, number) =>
        type === STT_SECTION && section !== undefined ? [[section, number]] : [],
      ),
    ),
  };
}

/** lower() writes one relocation section for each section, as compilers do. */
function refuseSecondRelocations(
  { sections }: ObjectSpec,
  headers: readonly SectionHeader[],
): void {
  const seen = new Set<number>();
  headers.forEach(({ type, info }, index) => {
    if (type !== SHT_REL) return;
    if (seen.has(info))
      throw badObject(
        `section ${sections[index]?.name}`,
        0,
        `a second relocation section of ${sections[info]?.name}`,
      );
    seen.add(info);
  });
}

function readHeader(table: ByteView, at: number): SectionHeader {
  return {
    name: table.u32(at),
    type: table.u32(at + 4),
    flags: table.bigU64(at + 8),
    address: table.bigU64(at + 16),
    fileOffset: table.u64(at + 24),
    link: table.u32(at + 40),
    info: table.u32(at + 44),
    alignment: alignmentOf(table, at + 48),
    entrySize: table.bigU64(at + 56),
  };
}

/** Bytes; a power of two. No section of a BPF object needs more than a page. */
function alignmentOf(table: ByteView, at: number): number {
  const alignment = table.u64(at);
  if (alignment > 4096 || (alignment & (alignment - 1)) !== 0)
    throw table.error(at, `an alignment of ${alignment}, not a power of two up to 4096`);
  return Math.max(alignment, 0);
}

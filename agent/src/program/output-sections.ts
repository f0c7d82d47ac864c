import { SHT_PROGBITS, SHT_REL } from '../object/sections.ts';
import type { LiftedObject, SectionHeader } from './lifted.ts';
import type { PlacedRelocation, WrittenCode } from './write-code.ts';
import { type OutputSection, writeElf } from './write-elf.ts';
import { encodeRelocations, renumberRelocations } from './write-relocations.ts';

const SHF_ALLOC = 2n;
const REL_SIZE = 16n;

/** A number to be put into a section: `width` is 4 or 8 bytes. */
export interface Word {
  readonly offset: number;
  readonly width: number;
  readonly value: number;
}

/** A section under way. `link` and `info` of the header are still old numbers, or those of new sections. */
interface Draft {
  readonly header: SectionHeader;
  readonly name: string;
  bytes: Uint8Array;
  /** Of a `.bss`. */
  readonly size: number | undefined;
  /** Relocations that still have the old symbol numbers. */
  hasOldNumbers: boolean;
}

/**
 * The sections of the object to be written. They keep the numbers of the old object, new ones count on
 * from there, until the file is written.
 */
export class OutputSections {
  readonly #lifted: LiftedObject;
  readonly #symbolNumbers: ReadonlyMap<number, number>;
  /** By number; a Map hands them out in order of insertion, which is that of the numbers. */
  readonly #drafts = new Map<number, Draft>();
  /** Number of the old relocation section by that of the section that it applies to. */
  readonly #relocations = new Map<number, number>();
  #next: number;

  constructor(
    lifted: LiftedObject,
    symbolNumbers: ReadonlyMap<number, number>,
    isGone: (section: number) => boolean,
  ) {
    const { spec, elf } = lifted;
    this.#lifted = lifted;
    this.#symbolNumbers = symbolNumbers;
    this.#next = spec.sections.length;
    const renumbered = symbolNumbers.size !== spec.symbols.length;
    spec.sections.forEach(({ index, name, type, size, bytes }) => {
      const header = elf.sectionHeaders[index];
      if (header === undefined || isGone(index)) return;
      if (type === SHT_REL && isGone(header.info)) return;
      this.#drafts.set(index, {
        header,
        name,
        bytes,
        size: bytes.length === size ? undefined : size,
        hasOldNumbers: type === SHT_REL && renumbered,
      });
      if (type === SHT_REL) this.#relocations.set(header.info, index);
    });
  }

  /** New contents, and the relocations that apply to them. */
  replace(number: number, { bytes, relocations }: WrittenCode): void {
    const section = this.#drafts.get(number);
    if (section === undefined) return;
    section.bytes = bytes;
    const relocationNumber = this.#relocations.get(number) ?? -1;
    const draft = this.#drafts.get(relocationNumber);
    if (draft === undefined) {
      if (relocations.length > 0) this.#appendRelocations(number, section.name, relocations);
    } else if (relocations.length === 0 && this.#lifted.edited) {
      this.#drafts.delete(relocationNumber);
    } else {
      draft.bytes = encodeRelocations(relocations, this.#symbolNumbers);
      draft.hasOldNumbers = false;
    }
  }

  /** A new section of data that loaders skip. */
  append(name: string, { bytes, relocations }: WrittenCode): void {
    const header = { ...blankHeader, type: SHT_PROGBITS, flags: SHF_ALLOC, alignment: 8 };
    const number = this.#add({ header, name, bytes, size: undefined, hasOldNumbers: false });
    this.#appendRelocations(number, name, relocations);
  }

  /** Overwrites words. */
  patch(number: number, words: readonly Word[]): void {
    const section = this.#drafts.get(number);
    if (section === undefined) return;
    section.bytes = new Uint8Array(section.bytes);
    const view = new DataView(section.bytes.buffer);
    for (const { offset, width, value } of words) {
      if (width === 8) view.setBigUint64(offset, BigInt(value), true);
      else view.setUint32(offset, value, true);
    }
  }

  /** The whole file. Symbols need the final numbers of the sections. */
  write(writeSymbols: (sectionNumber: (old: number) => number) => Uint8Array): Uint8Array {
    const { elf, spec } = this.#lifted;
    const numbers = new Map([...this.#drafts.keys()].map((old, number) => [old, number]));
    const sectionNumber = (old: number): number => numbers.get(old) ?? 0;
    const symbols = this.#drafts.get(elf.symbolTable);
    if (symbols !== undefined && elf.symbolTable > 0) symbols.bytes = writeSymbols(sectionNumber);
    const names = this.#addNames();
    for (const draft of this.#drafts.values()) {
      if (draft.hasOldNumbers) draft.bytes = renumberRelocations(draft.bytes, this.#symbolNumbers);
    }

    const sections = [...this.#drafts].map(
      ([old, { header, bytes, size, name }]): OutputSection => {
        let { info } = header;
        if (header.type === SHT_REL) info = sectionNumber(info);
        else if (old === elf.symbolTable && old > 0) info = this.#firstGlobal(info);
        const link = sectionNumber(header.link);
        const nameOffset = old < spec.sections.length ? header.name : (names.get(name) ?? 0);
        return {
          header: { ...header, name: nameOffset, link, info },
          bytes,
          size: size ?? bytes.length,
        };
      },
    );
    return writeElf(elf.header, sections, sectionNumber(elf.sectionNames));
  }

  #add(draft: Draft): number {
    const number = this.#next++;
    this.#drafts.set(number, draft);
    return number;
  }

  #appendRelocations(target: number, name: string, relocations: readonly PlacedRelocation[]): void {
    const { symbolTable } = this.#lifted.elf;
    const header = {
      ...blankHeader,
      type: SHT_REL,
      alignment: 8,
      entrySize: REL_SIZE,
      link: symbolTable,
      info: target,
    };
    const bytes = encodeRelocations(relocations, this.#symbolNumbers);
    this.#add({ header, name: `.rel${name}`, bytes, size: undefined, hasOldNumbers: false });
  }

  /** Appends the names of new sections to the section that holds names. @returns where they are */
  #addNames(): ReadonlyMap<string, number> {
    const offsets = new Map<string, number>();
    const { spec, elf } = this.#lifted;
    const names = this.#drafts.get(elf.sectionNames);
    const added = [...this.#drafts].filter(([number]) => number >= spec.sections.length);
    if (names === undefined || added.length === 0) return offsets;
    let text = '';
    for (const [, { name }] of added) {
      offsets.set(name, names.bytes.length + text.length);
      text += `${name}\0`;
    }
    const bytes = new Uint8Array(names.bytes.length + text.length);
    bytes.set(names.bytes);
    bytes.set(new TextEncoder().encode(text), names.bytes.length);
    names.bytes = bytes;
    return offsets;
  }

  /** `sh_info` of a symbol table: local symbols come first. */
  #firstGlobal(old: number): number {
    let locals = 0;
    for (const number of this.#symbolNumbers.keys()) if (number < old) locals++;
    return locals;
  }
}

const blankHeader: SectionHeader = {
  name: 0,
  type: 0,
  flags: 0n,
  address: 0n,
  // Behind everything that has a place in the old file.
  fileOffset: Number.MAX_SAFE_INTEGER,
  link: 0,
  info: 0,
  alignment: 1,
  entrySize: 0n,
};

import { btfStrings } from './btf.ts';
import type { ByteView } from './byte-view.ts';
import { SLOT } from './instructions.ts';
import { lastAtOrBefore } from './ordered.ts';
import { viewOf } from './sections.ts';
import type { Section, SourceLine } from './spec.ts';

/** Layout of .BTF and .BTF.ext: Documentation/bpf/btf.rst, "ELF File Format Interface". */
const BTF_MAGIC = 0xeb9f;
/** Newer compilers may append to a record. */
const MIN_RECORD_SIZE = 16;
/** Of a record's last word, the low bits are the column. */
const LINE_SHIFT = 10;

interface LineRecord {
  /** Bytes into the executable section. */
  readonly offset: number;
  /** Into the strings of .BTF. */
  readonly file: number;
  readonly line: number;
}

/** The source lines that the compiler noted for instructions, when it was asked to (-g). */
export class SourceLines {
  readonly #strings: ByteView;
  /** By executable section, sorted by offset. */
  readonly #records = new Map<string, LineRecord[]>();

  constructor(sections: readonly Section[]) {
    const types = sections.find((section) => section.name === '.BTF');
    const lines = sections.find((section) => section.name === '.BTF.ext');
    this.#strings = btfStrings(types);
    if (types === undefined || lines === undefined) return;
    this.#read(viewOf(lines));
    for (const records of this.#records.values()) records.sort((a, b) => a.offset - b.offset);
  }

  /** The line of an instruction slot; undefined when none was noted. */
  at(section: string, instruction: number): SourceLine | undefined {
    const records = this.#records.get(section) ?? [];
    const found = lastAtOrBefore(records, instruction * SLOT, (record) => record.offset);
    return found && { file: this.#strings.name(found.file), line: found.line };
  }

  /** One block for each executable section: its name, the number of records, the records. */
  #read(view: ByteView): void {
    if (view.u16(0) !== BTF_MAGIC) throw view.error(0, 'not .BTF.ext data');
    const start = view.u32(4) + view.u32(16);
    const end = start + view.u32(20);
    if (start === end) return;
    const recordSize = view.u32(start);
    if (recordSize < MIN_RECORD_SIZE)
      throw view.error(
        start,
        `line records of ${recordSize} bytes, not ${MIN_RECORD_SIZE} or more`,
      );
    for (let at = start + 4; at < end; ) {
      const section = this.#strings.name(view.u32(at));
      const count = view.u32(at + 4);
      at += 8;
      if (at + count * recordSize > end)
        throw view.error(at - 4, `${count} line records do not fit`);
      const records = this.#records.get(section) ?? [];
      this.#records.set(section, records);
      for (const last = at + count * recordSize; at < last; at += recordSize)
        records.push({
          offset: view.u32(at),
          file: view.u32(at + 4),
          line: view.u32(at + 12) >>> LINE_SHIFT,
        });
    }
  }
}

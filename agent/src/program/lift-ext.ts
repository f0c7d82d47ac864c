import { btfStrings } from '../object/btf.ts';
import type { ByteView } from '../object/byte-view.ts';
import { SLOT } from '../object/instructions.ts';
import { viewOf } from '../object/sections.ts';
import type { ObjectSpec, Section } from '../object/spec.ts';
import { badInstruction } from './bad-instruction.ts';
import { notesOf } from './instruction.ts';
import {
  EXT_KINDS,
  type ExtBlock,
  type ExtKind,
  type ExtRecord,
  type ExtTable,
  type FunctionId,
  type LiftedExt,
  type SymbolUse,
} from './lifted.ts';
import type { LiftedCode } from './lifted-code.ts';

const BTF_MAGIC = 0xeb9f;
/** Up to and including the length of line_info; CO-RE relocations came later. */
const MIN_HEADER_SIZE = 24;
/** With CO-RE relocations. Tables that came later would be lost. */
const MAX_HEADER_SIZE = 32;
/** Of each record, the instruction's offset and at least one more word. */
const MIN_RECORD_SIZE = 8;
const TABLES_AT = 8;

interface Found {
  readonly ext: LiftedExt | undefined;
  readonly functions: ReadonlyMap<FunctionId, ExtRecord>;
}

/**
 * Hangs the records of `.BTF.ext` on functions and instructions.
 * Layout: Documentation/bpf/btf.rst, ".BTF.ext section".
 */
export function liftExt(spec: ObjectSpec, code: LiftedCode): Found {
  const functions = new Map<FunctionId, ExtRecord>();
  const section = spec.sections.find((each) => each.name === '.BTF.ext');
  if (section === undefined) return { ext: undefined, functions };
  const view = viewOf(section);
  const headerSize = view.u32(4);
  if (view.u16(0) !== BTF_MAGIC) throw view.error(0, 'not .BTF.ext data');
  if (headerSize < MIN_HEADER_SIZE || headerSize > MAX_HEADER_SIZE)
    throw view.error(
      4,
      `a header of ${headerSize} bytes, not ${MIN_HEADER_SIZE} to ${MAX_HEADER_SIZE}`,
    );
  const names = sectionNames(spec);
  const uses = relocationsByOffset(spec, section);
  const tables = EXT_KINDS.slice(0, Math.floor((headerSize - TABLES_AT) / 8)).map(
    (kind, number): ExtTable => {
      const start = headerSize + view.u32(TABLES_AT + number * 8);
      const end = start + view.u32(TABLES_AT + number * 8 + 4);
      const hang = hangerOf(spec, code, functions, kind);
      return liftTable(view, start, end, kind, names, uses, hang);
    },
  );
  const header = view.slice(0, headerSize);
  return { ext: { section: section.index, header, tables }, functions };
}

/** Puts a record where it belongs; false when there is no such place. */
type Hang = (section: number, slot: number, record: ExtRecord) => void;

function hangerOf(
  spec: ObjectSpec,
  { slots, starts }: LiftedCode,
  functions: Map<FunctionId, ExtRecord>,
  kind: ExtKind,
): Hang {
  return (section, slot, record) => {
    const refuse = (what: string) => badInstruction(spec.sections[section]?.name ?? '', slot, what);
    if (kind === 'function') {
      const fn = starts.get(section)?.get(slot);
      if (fn === undefined || functions.has(fn.id))
        throw refuse('func_info where no function starts, or twice for one');
      functions.set(fn.id, record);
      return;
    }
    const instruction = slots.get(section)?.[slot];
    if (instruction === undefined) throw refuse(`${kind} record of no instruction`);
    if (kind === 'coRe') notesOf(instruction).coRe.push(record);
    else if (instruction.line === undefined) instruction.line = record;
    else throw refuse('a second line record');
  };
}

function liftTable(
  view: ByteView,
  start: number,
  end: number,
  kind: ExtKind,
  names: Names,
  uses: ReadonlyMap<number, SymbolUse>,
  hang: Hang,
): ExtTable {
  if (start === end) return { kind, recordSize: 0, blocks: [] };
  const recordSize = view.u32(start);
  if (recordSize < MIN_RECORD_SIZE || recordSize % 4 !== 0)
    throw view.error(start, `records of ${recordSize} bytes`);
  const blocks: ExtBlock[] = [];
  const seen = new Set<number>();
  for (let at = start + 4; at < end; ) {
    const name = view.u32(at);
    const size = view.u32(at + 4) * recordSize;
    const section = names.sectionOf(name);
    at += 8;
    if (at + size > end) throw view.error(at - 4, 'records that do not fit');
    const foreign = section === undefined ? view.slice(at, size) : new Uint8Array();
    blocks.push({ name, section, foreign });
    if (section === undefined) {
      at += size;
      continue;
    }
    if (seen.has(section)) throw view.error(at - 8, 'a second block of the same section');
    seen.add(section);
    for (const last = at + size; at < last; at += recordSize) {
      const record = { bytes: view.slice(at, recordSize), relocation: uses.get(at) };
      hang(section, view.u32(at) / SLOT, record);
    }
  }
  return { kind, recordSize, blocks };
}

interface Names {
  /** Number of the executable section whose name is at this offset of the strings of .BTF. */
  sectionOf(name: number): number | undefined;
}

function sectionNames(spec: ObjectSpec): Names {
  const byName = new Map(
    spec.sections.filter((each) => each.executable).map(({ name, index }) => [name, index]),
  );
  const types = spec.sections.find((section) => section.name === '.BTF');
  const strings = btfStrings(types);
  return { sectionOf: (name) => byName.get(strings.name(name)) };
}

function relocationsByOffset(spec: ObjectSpec, section: Section): ReadonlyMap<number, SymbolUse> {
  const numbers = new Map(spec.symbols.map((symbol, number) => [symbol, number]));
  return new Map(
    section.relocations.map(({ offset, type, symbol }) => [
      offset,
      { type, symbol: numbers.get(symbol) ?? 0 },
    ]),
  );
}

import { SLOT } from '../object/instructions.ts';
import { slotsIn, slotsOf } from './instruction.ts';
import type { Layout } from './layout.ts';
import type { ExtKind, ExtRecord, ExtTable, LiftedExt, LiftedFunction } from './lifted.ts';
import type { PlacedRelocation, WrittenCode } from './write-code.ts';

const TABLES_AT = 8;

/** Encodes `.BTF.ext`: the records in the order of the code, without tables and blocks that are empty. */
export function writeExt({ header, tables }: LiftedExt, layout: Layout): WrittenCode {
  const written = tables.map((table) => collect(table, layout));
  const size = written.reduce((sum, { size }) => sum + size, header.length);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  bytes.set(header);
  const relocations: PlacedRelocation[] = [];
  let at = header.length;
  written.forEach(({ size, recordSize, blocks }, number) => {
    view.setUint32(TABLES_AT + number * 8, at - header.length, true);
    view.setUint32(TABLES_AT + number * 8 + 4, size, true);
    if (size === 0) return;
    view.setUint32(at, recordSize, true);
    at += 4;
    for (const { name, foreign, records } of blocks) {
      view.setUint32(at, name, true);
      view.setUint32(at + 4, foreign.length / recordSize + records.length, true);
      at += 8;
      bytes.set(foreign, at);
      at += foreign.length;
      for (const { record, slot } of records) {
        bytes.set(record.bytes, at);
        view.setUint32(at, slot * SLOT, true);
        if (record.relocation !== undefined) relocations.push({ offset: at, ...record.relocation });
        at += recordSize;
      }
    }
  });
  return { bytes, relocations };
}

interface PlacedRecord {
  readonly record: ExtRecord;
  readonly slot: number;
}

interface Collected {
  readonly size: number;
  readonly recordSize: number;
  readonly blocks: readonly {
    readonly name: number;
    readonly foreign: Uint8Array;
    readonly records: readonly PlacedRecord[];
  }[];
}

function collect({ kind, recordSize, blocks }: ExtTable, layout: Layout): Collected {
  const filled = blocks
    .map(({ name, section, foreign }) => ({
      name,
      foreign,
      records: section === undefined ? [] : recordsOf(kind, layout, section),
    }))
    .filter(({ foreign, records }) => foreign.length + records.length > 0);
  // libbpf refuses a table that has a record size and no record.
  if (filled.length === 0) return { size: 0, recordSize, blocks: [] };
  const size = filled.reduce(
    (sum, { foreign, records }) => sum + 8 + foreign.length + records.length * recordSize,
    4,
  );
  return { size, recordSize, blocks: filled };
}

function recordsOf(kind: ExtKind, layout: Layout, section: number): readonly PlacedRecord[] {
  const records: PlacedRecord[] = [];
  let slot = 0;
  for (const fn of layout.functions.get(section) ?? []) {
    if (kind === 'function') {
      if (fn.info !== undefined) records.push({ record: fn.info, slot });
      slot += slotsIn(fn.body);
    } else if (kind === 'line') slot = addLines(fn, slot, records);
    else slot = addCoRe(fn, slot, records);
  }
  return records;
}

/**
 * A record holds until the next one. Where an edit put code after other code than before, a record is
 * repeated. The kernel wants one at the start of each function.
 */
function addLines({ body }: LiftedFunction, start: number, records: PlacedRecord[]): number {
  let slot = start;
  let current: ExtRecord | undefined;
  for (const instruction of body) {
    const record = instruction.line ?? instruction.inheritedLine;
    if (record !== undefined && (instruction.line !== undefined || record !== current)) {
      records.push({ record, slot });
      current = record;
    }
    slot += slotsOf(instruction);
  }
  return slot;
}

function addCoRe({ body }: LiftedFunction, start: number, records: PlacedRecord[]): number {
  let slot = start;
  for (const instruction of body) {
    if (instruction.notes !== undefined)
      for (const record of instruction.notes.coRe) records.push({ record, slot });
    slot += slotsOf(instruction);
  }
  return slot;
}

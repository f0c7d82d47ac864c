import { isProgram, readFunctions } from './functions.ts';
import { readRelocations } from './relocations.ts';
import { readSections } from './sections.ts';
import type { ObjectSpec } from './spec.ts';
import { readStaticKeys } from './static-keys.ts';
import { readSymbols } from './symbols.ts';

/**
 * Reads a BPF ELF object. A pure function of its bytes, safe on hostile ones: time and memory are
 * bounded by their number. The spec shares the bytes: do not change them afterwards.
 * @throws SkeinError SKEIN_BAD_OBJECT, "PLACE, offset 0x..: WHAT", and nothing else.
 */
export function readObject(bytes: Uint8Array): ObjectSpec {
  const headers = readSections(bytes);
  const table = readSymbols(headers);
  readRelocations(headers, table);
  const sections = headers.map(({ section }) => section);
  const functions = readFunctions(sections, table.symbols);
  return freeze({
    sections,
    symbols: table.symbols,
    functions,
    programs: functions.filter(isProgram),
    keys: readStaticKeys(sections, table.symbols, functions),
  });
}

function freeze(spec: ObjectSpec): ObjectSpec {
  for (const section of spec.sections) {
    section.relocations.forEach(Object.freeze);
    Object.freeze(section.relocations);
    Object.freeze(section);
  }
  for (const key of spec.keys) {
    for (const site of key.sites) Object.freeze(Object.freeze(site).source);
    Object.freeze(key.sites);
    Object.freeze(key);
  }
  for (const list of [spec.sections, spec.symbols, spec.functions, spec.programs, spec.keys]) {
    list.forEach(Object.freeze);
    Object.freeze(list);
  }
  return Object.freeze(spec);
}

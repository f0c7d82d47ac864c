import { BRANCH_ENTRY_SIZE, isBranchSection } from '../object/branch-sections.ts';
import { SLOT } from '../object/instructions.ts';
import { ENTRY_SIZE, TABLE_SECTION } from '../object/key-table.ts';
import { viewOf } from '../object/sections.ts';
import type { ObjectSpec, Relocation, Section } from '../object/spec.ts';
import { STT_OBJECT } from '../object/symbols.ts';
import { badInstruction } from './bad-instruction.ts';
import type { SymbolUse, TableEntry } from './lifted.ts';
import type { LiftedCode } from './lifted-code.ts';

/** Marks the jumps that are static branches. @returns the symbol of each key's variable, by name */
export function liftSites(spec: ObjectSpec, code: LiftedCode): ReadonlyMap<string, number> {
  const sections = new Map(
    spec.sections.filter((each) => each.executable).map(({ name, index }) => [name, index]),
  );
  const entries = readEntries(spec);
  const sites = spec.keys.flatMap((each) => each.sites);
  for (const { key, section, instruction, target, encoding, inverse } of sites) {
    const index = sections.get(section) ?? 0;
    const jump = code.slots.get(index)?.[instruction];
    const to = code.slots.get(index)?.[target];
    if (jump === undefined || to === undefined)
      throw badInstruction(
        section,
        instruction,
        'a static branch that is, or goes to, no instruction',
      );
    jump.site = { key, encoding, inverse, entry: entries.get(`${index}:${instruction}`) };
    jump.target = to;
  }
  return keySymbols(spec);
}

/** The spec names the section of a key, and refuses a second key of the same name. */
function keySymbols({ sections, symbols, keys }: ObjectSpec): ReadonlyMap<string, number> {
  const wanted = new Map(keys.map((key) => [key.name, key]));
  const numbers = new Map<string, number>();
  symbols.forEach(({ type, name, section, offset }, number) => {
    const key = type === STT_OBJECT ? wanted.get(name) : undefined;
    if (key === undefined || key.offset !== offset || numbers.has(name)) return;
    if (section !== undefined && sections[section]?.name === key.section) numbers.set(name, number);
  });
  return numbers;
}

/** The entries of all tables by the site that they name: section number and slot. */
function readEntries(spec: ObjectSpec): ReadonlyMap<string, TableEntry> {
  const numbers = new Map(spec.symbols.map((symbol, number) => [symbol, number]));
  const use = ({ type, symbol }: Relocation): SymbolUse => ({
    type,
    symbol: numbers.get(symbol) ?? 0,
  });
  return new Map(spec.sections.filter(isTable).flatMap((table) => entriesOf(table, use)));
}

/** Of a table that readObject() has checked: each entry has its two or three relocations. */
function entriesOf(
  table: Section,
  use: (relocation: Relocation) => SymbolUse,
): readonly (readonly [string, TableEntry])[] {
  const view = viewOf(table);
  const [size, fields] = isBranchSection(table) ? [BRANCH_ENTRY_SIZE, 2] : [ENTRY_SIZE, 3];
  return Array.from({ length: view.length / size }, (_, order) => {
    const [site, target, key] = table.relocations.slice(order * fields, (order + 1) * fields);
    if (site === undefined || target === undefined)
      throw view.error(order * size, 'an entry without relocations');
    const place = (site.symbol.offset + view.u32(order * size)) / SLOT;
    const addend = key && { ...use(key), addend: view.bigU64(order * size + 8) };
    const entry = { table: table.index, order, site: use(site), target: use(target), key: addend };
    return [`${site.symbol.section}:${place}`, entry];
  });
}

export const isTable = (section: Section): boolean =>
  section.name === TABLE_SECTION || isBranchSection(section);

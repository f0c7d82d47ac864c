import { BRANCH_ENTRY_SIZE } from '../object/branch-sections.ts';
import { SLOT } from '../object/instructions.ts';
import { ENTRY_SIZE } from '../object/key-table.ts';
import type { Layout } from './layout.ts';
import type { Instruction, LiftedObject, TableEntry } from './lifted.ts';
import type { PlacedRelocation, WrittenCode } from './write-code.ts';

/** A site with an entry, and the section number of its table; undefined for a table yet to be made. */
export interface ListedSite {
  readonly jump: Instruction;
  readonly entry: TableEntry;
}

/** The sites that tables name, by table. */
export function listSites({
  functions,
}: LiftedObject): ReadonlyMap<number | undefined, readonly ListedSite[]> {
  const listed: ListedSite[] = [];
  for (const { body } of functions) {
    for (const jump of body) {
      const entry = jump.site?.entry;
      if (entry !== undefined) listed.push({ jump, entry });
    }
  }
  listed.sort((a, b) => a.entry.order - b.entry.order);
  return Map.groupBy(listed, ({ entry }) => entry.table);
}

/** Encodes one table: `.static_keys` or `KEY.static_branch`. */
export function writeTable(
  sites: readonly ListedSite[],
  layout: Layout,
  symbolValue: (symbol: number) => number,
): WrittenCode {
  const isKeyTable = sites[0]?.entry.key !== undefined;
  const size = isKeyTable ? ENTRY_SIZE : BRANCH_ENTRY_SIZE;
  const bytes = new Uint8Array(sites.length * size);
  const view = new DataView(bytes.buffer);
  const relocations: PlacedRelocation[] = [];
  sites.forEach(({ jump, entry: { site, target, key } }, index) => {
    const at = index * size;
    const place = (instruction: Instruction | undefined, symbol: number) =>
      (instruction === undefined ? 0 : layout.slotOf(instruction) * SLOT) - symbolValue(symbol);
    view.setUint32(at, place(jump, site.symbol), true);
    view.setUint32(at + 4, place(jump.target, target.symbol), true);
    relocations.push({ offset: at, ...site }, { offset: at + 4, ...target });
    if (key === undefined) return;
    view.setBigUint64(at + 8, key.addend, true);
    relocations.push({ offset: at + 8, type: key.type, symbol: key.symbol });
  });
  return { bytes, relocations };
}

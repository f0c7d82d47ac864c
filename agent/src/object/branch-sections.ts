import { badObject } from './byte-view.ts';
import { countEntries, PLACE_TYPES, readAddress, type SiteEntry } from './key-table.ts';
import type { KeyVariables } from './key-variables.ts';
import { SHT_PROGBITS, viewOf } from './sections.ts';
import type { Section } from './spec.ts';

const SUFFIX = '.static_branch';

/** `.long branch - .; .long target - .` */
export const BRANCH_ENTRY_SIZE = 8;
const FIELDS = 2;

/** Whether this is the section of one key's branches. Its relocation section ends in the same name. */
export const isBranchSection = ({ name, type }: Section): boolean =>
  type === SHT_PROGBITS && name.endsWith(SUFFIX) && name.length > SUFFIX.length;

/**
 * Reads every section `KEY.static_branch`: the branches of the variable KEY, 8 bytes each, as in the list
 * discussion of December 2023 ("populate addresses of insns into name.static_branch"). The instruction says
 * what the branch does while the key is off; a `goto +0` cannot say where it goes when on, so the
 * target is beside the address. Stock loaders skip the section.
 */
export function readBranchSections(
  sections: readonly Section[],
  variables: KeyVariables,
): readonly SiteEntry[] {
  return sections
    .filter(isBranchSection)
    .flatMap((section) => readSection(sections, variables, section));
}

function readSection(
  sections: readonly Section[],
  variables: KeyVariables,
  table: Section,
): readonly SiteEntry[] {
  const name = table.name.slice(0, -SUFFIX.length);
  const key = variables.addressOf(name);
  if (key === undefined)
    throw badObject(`section ${table.name}`, 0, `no variable, or more than one, is named ${name}`);
  const count = countEntries(table, BRANCH_ENTRY_SIZE, FIELDS);
  const view = viewOf(table);
  return Array.from({ length: count }, (_, index) => {
    const offset = index * BRANCH_ENTRY_SIZE;
    const field = (number: 0 | 1) => {
      const at = offset + 4 * number;
      const place = { at, relocation: index * FIELDS + number, types: PLACE_TYPES };
      return readAddress(sections, table, place, view.u32(at));
    };
    return { table, offset, site: field(0), target: field(1), key, inverse: undefined };
  });
}

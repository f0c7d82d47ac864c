import { isBranchSection, readBranchSections } from './branch-sections.ts';
import { badObject } from './byte-view.ts';
import { checkDefault } from './default-encoding.ts';
import { FunctionTable } from './functions.ts';
import { checkSectionGoto, checkSelectableGoto, isSelectable } from './goto-encodings.ts';
import { decode, SLOT } from './instructions.ts';
import { readKeyTable, type SiteEntry } from './key-table.ts';
import { type KeyVariable, KeyVariables } from './key-variables.ts';
import { viewOf } from './sections.ts';
import { LOAD_SLOTS, readMarked } from './self-compare.ts';
import { badSite, type SiteForm } from './site-form.ts';
import { SourceLines } from './source-lines.ts';
import type { BpfFunction, ElfSymbol, Section, StaticBranch, StaticKey } from './spec.ts';

/** The static keys of an object with their sites in every encoding, checked against code and data. */
export function readStaticKeys(
  sections: readonly Section[],
  symbols: readonly ElfSymbol[],
  functions: readonly BpfFunction[],
): readonly StaticKey[] {
  const table = new FunctionTable(functions);
  const variables = new KeyVariables(sections, symbols);
  const found = new Sites(new SourceLines(sections));
  for (const entry of [...readKeyTable(sections), ...readBranchSections(sections, variables)]) {
    const key = variables.at(entry.key);
    const fn = functionOf(entry, table);
    const form = checkForm(sections, entry, fn);
    const { site, target } = entry;
    if (found.has(site.section.name, site.offset / SLOT))
      throw refuse(entry, 'a second entry for the same jump');
    found.add(key, fn, site.offset / SLOT, target.offset / SLOT, form);
  }
  addMarked(sections, functions, variables, found);
  return sortKeys(sections, found.byKey);
}

/** Static branches by key, each at most once. */
class Sites {
  readonly byKey = new Map<KeyVariable, StaticBranch[]>();
  readonly #seen = new Set<string>();
  readonly #lines: SourceLines;

  constructor(lines: SourceLines) {
    this.#lines = lines;
  }

  has(section: string, instruction: number): boolean {
    return this.#seen.has(`${section}\0${instruction}`);
  }

  add(
    key: KeyVariable,
    fn: BpfFunction,
    instruction: number,
    target: number,
    form: SiteForm,
  ): void {
    const { section } = fn;
    this.#seen.add(`${section}\0${instruction}`);
    const sites = this.byKey.get(key) ?? [];
    this.byKey.set(key, sites);
    sites.push({
      key: key.name,
      section,
      function: fn.name,
      instruction,
      target,
      ...form,
      source: this.#lines.at(section, instruction),
    });
  }
}

function functionOf(entry: SiteEntry, functions: FunctionTable): BpfFunction {
  const { site, target } = entry;
  if (!site.section.executable) throw refuse(entry, `${site.section.name} holds no code`);
  if (site.offset % SLOT !== 0 || target.offset % SLOT !== 0)
    throw refuse(entry, 'site or target is not at an instruction');
  const fn = functions.at(site.section.name, site.offset / SLOT);
  if (fn === undefined) throw refuse(entry, 'the site is in no function');
  if (target.section !== site.section || !contains(fn, target.offset / SLOT))
    throw refuse(entry, `the target is outside ${fn.name}, where the site is`);
  return fn;
}

function checkForm(sections: readonly Section[], entry: SiteEntry, fn: BpfFunction): SiteForm {
  const { site, table } = entry;
  if (isSelectable(decode(viewOf(site.section), site.offset))) return checkSelectableGoto(entry);
  return isBranchSection(table) ? checkSectionGoto(entry) : checkDefault(sections, entry, fn);
}

/** Adds what no table names, and refuses what some table should have named. */
function addMarked(
  sections: readonly Section[],
  functions: readonly BpfFunction[],
  variables: KeyVariables,
  found: Sites,
): void {
  const code = new Map(
    sections.filter((each) => each.executable).map((section) => [section.name, section]),
  );
  for (const fn of functions) {
    const section = code.get(fn.section);
    if (section === undefined) continue;
    const { compares, selectable } = readMarked(sections, variables, section, fn);
    for (const { instruction, target, key, inverse } of compares) {
      const start = instruction - LOAD_SLOTS;
      const form: SiteForm = { encoding: 'self-compare', inverse, start };
      found.add(variables.at(key), fn, instruction, target, form);
    }
    for (const slot of selectable) {
      if (!found.has(fn.section, slot))
        throw badSite(viewOf(section), slot * SLOT, 'a selectable goto that no table names');
    }
  }
}

function sortKeys(
  sections: readonly Section[],
  branches: ReadonlyMap<KeyVariable, StaticBranch[]>,
): readonly StaticKey[] {
  const order = new Map(sections.map((section) => [section.name, section.index]));
  const variables = [...branches.keys()].sort(
    (a, b) => a.section.index - b.section.index || a.offset - b.offset,
  );
  const names = new Set<string>();
  return variables.map((variable) => {
    const { name, section, offset, declared } = variable;
    if (names.has(name))
      throw badObject(`section ${section.name}`, offset, `a second static key named ${name}`);
    names.add(name);
    const sites = (branches.get(variable) ?? []).sort(
      (a, b) =>
        (order.get(a.section) ?? 0) - (order.get(b.section) ?? 0) || a.instruction - b.instruction,
    );
    return { name, section: section.name, offset, declared, sites };
  });
}

const contains = (fn: BpfFunction, instruction: number): boolean =>
  instruction >= fn.instruction && instruction < fn.instruction + fn.length;

const refuse = ({ table, offset }: SiteEntry, what: string) =>
  badObject(`section ${table.name}`, offset, what);

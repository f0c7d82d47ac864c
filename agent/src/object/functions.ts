import { badObject } from './byte-view.ts';
import { SLOT } from './instructions.ts';
import { lastAtOrBefore } from './ordered.ts';
import type { BpfFunction, ElfSymbol, Section } from './spec.ts';
import { STT_FUNC } from './symbols.ts';

/** libbpf keeps subprograms here; functions anywhere else are programs. */
const SUBPROGRAM_SECTION = '.text';

export const isProgram = (fn: BpfFunction): boolean => fn.section !== SUBPROGRAM_SECTION;

/** Functions by address. */
export class FunctionTable {
  readonly #bySection: ReadonlyMap<string, readonly BpfFunction[]>;

  /** Sorted by section, then instruction, as in ObjectSpec. */
  constructor(functions: readonly BpfFunction[]) {
    this.#bySection = Map.groupBy(functions, (fn) => fn.section);
  }

  /** The function that an instruction slot of a section belongs to. */
  at(section: string, instruction: number): BpfFunction | undefined {
    const functions = this.#bySection.get(section) ?? [];
    const found = lastAtOrBefore(functions, instruction, (fn) => fn.instruction);
    return found && instruction < found.instruction + found.length ? found : undefined;
  }
}

/** The functions of the executable sections, sorted by section, then instruction; they may not overlap. */
export function readFunctions(
  sections: readonly Section[],
  symbols: readonly ElfSymbol[],
): readonly BpfFunction[] {
  requireUniqueSections(sections);
  const placed = symbols.flatMap((symbol) => {
    const section = symbol.section === undefined ? undefined : sections[symbol.section];
    if (symbol.type !== STT_FUNC || !section?.executable) return [];
    return [{ section, fn: readFunction(section, symbol) }];
  });
  placed.sort((a, b) => a.section.index - b.section.index || a.fn.instruction - b.fn.instruction);
  placed.forEach(({ section, fn }, index) => {
    const before = placed[index - 1];
    if (before?.section === section && before.fn.instruction + before.fn.length > fn.instruction)
      throw at(section, fn.instruction * SLOT, `${before.fn.name} and ${fn.name} overlap`);
  });
  const names = new Set<string>();
  for (const { section, fn } of placed.filter(({ fn }) => isProgram(fn))) {
    if (names.has(fn.name))
      throw at(section, fn.instruction * SLOT, `a second program named ${fn.name}`);
    names.add(fn.name);
  }
  return placed.map(({ fn }) => fn);
}

function readFunction(section: Section, { name, global, offset, size }: ElfSymbol): BpfFunction {
  if (offset % SLOT !== 0) throw at(section, offset, `function ${name} is not aligned to ${SLOT}`);
  if (size === 0 || size % SLOT !== 0)
    throw at(section, offset, `function ${name} of ${size} bytes, not a multiple of ${SLOT}`);
  if (offset + size > section.bytes.length)
    throw at(section, offset, `function ${name} of ${size} bytes ends outside the section`);
  return {
    name,
    section: section.name,
    instruction: offset / SLOT,
    length: size / SLOT,
    global,
    bytes: section.bytes.subarray(offset, offset + size),
  };
}

/** Branches and programs name their section, so that name must say which one. */
function requireUniqueSections(sections: readonly Section[]): void {
  const names = new Set<string>();
  for (const section of sections.filter((each) => each.executable)) {
    if (names.has(section.name)) throw at(section, 0, 'a second executable section of that name');
    names.add(section.name);
  }
}

const at = (section: Section, offset: number, what: string) =>
  badObject(`section ${section.name}`, offset, what);

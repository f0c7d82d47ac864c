import { badObject } from './byte-view.ts';
import type { Address } from './relocations.ts';
import { SHT_NOBITS, viewOf } from './sections.ts';
import type { ElfSymbol, Section } from './spec.ts';
import { STT_OBJECT } from './symbols.ts';

/** Sections that libbpf turns into writable global-data maps. */
const WRITABLE_DATA = /^\.(data|bss)(\..+)?$/;
const KEY_SIZE = 4;
const DECLARE_IT = 'Declare it with DEFINE_STATIC_KEY_FALSE(name) or as a writable global int.';

/** A variable fit to be a static key. */
export interface KeyVariable {
  readonly name: string;
  readonly section: Section;
  readonly offset: number;
  readonly declared: boolean;
}

/** Finds key variables by address. A variable found twice is the same object. */
export class KeyVariables {
  readonly #symbols = new Map<Section, Map<number, ElfSymbol>>();
  readonly #found = new Map<ElfSymbol, KeyVariable>();
  /** By name; undefined when several have it. */
  readonly #byName = new Map<string, Address | undefined>();

  constructor(sections: readonly Section[], symbols: readonly ElfSymbol[]) {
    for (const symbol of symbols) {
      const section = symbol.section === undefined ? undefined : sections[symbol.section];
      if (symbol.type !== STT_OBJECT || section === undefined) continue;
      const inSection = this.#symbols.get(section) ?? new Map<number, ElfSymbol>();
      this.#symbols.set(section, inSection);
      const { name, offset } = symbol;
      this.#byName.set(name, this.#byName.has(name) ? undefined : { section, offset });
      // Of aliases, the first.
      if (!inSection.has(symbol.offset)) inSection.set(symbol.offset, symbol);
    }
  }

  /** Where the only variable of that name is. */
  addressOf(name: string): Address | undefined {
    return this.#byName.get(name);
  }

  /** Whether a variable starts there that at() would take. */
  has({ section, offset }: Address): boolean {
    const symbol = this.#symbols.get(section)?.get(offset);
    return symbol !== undefined && isWritableData(section) && symbol.size === KEY_SIZE;
  }

  /** @throws SKEIN_BAD_OBJECT when no writable 4-byte variable starts there. */
  at({ section, offset }: Address): KeyVariable {
    const symbol = this.#symbols.get(section)?.get(offset);
    if (symbol === undefined)
      throw refuse(section, offset, 'no variable starts here, but a static branch names one');
    const known = this.#found.get(symbol);
    if (known !== undefined) return known;
    const variable = readVariable(section, symbol);
    this.#found.set(symbol, variable);
    return variable;
  }
}

function readVariable(section: Section, { name, offset, size }: ElfSymbol): KeyVariable {
  if (!isWritableData(section))
    throw refuse(section, offset, `static key ${name} is not in a writable data section`);
  if (size !== KEY_SIZE)
    throw refuse(section, offset, `static key ${name} has ${size} bytes, not ${KEY_SIZE}`);
  if (offset % KEY_SIZE !== 0 || offset + KEY_SIZE > section.size)
    throw refuse(section, offset, `static key ${name} is not aligned, or ends outside the section`);
  const declared = section.type !== SHT_NOBITS && viewOf(section).u32(offset) !== 0;
  return { name, section, offset, declared };
}

export const isWritableData = ({ writable, allocated, name }: Section): boolean =>
  writable && allocated && WRITABLE_DATA.test(name);

const refuse = (section: Section, offset: number, what: string) =>
  badObject(`section ${section.name}`, offset, what, DECLARE_IT);

import { ByteView } from './byte-view.ts';
import { viewOf } from './sections.ts';
import type { Section } from './spec.ts';

/** Kinds of types that the front end looks into: Documentation/bpf/btf.rst, "Type Encoding". */
export const BTF_INT = 1;
export const BTF_PTR = 2;
export const BTF_ARRAY = 3;
export const BTF_STRUCT = 4;
export const BTF_UNION = 5;
const BTF_FUNC = 12;
const BTF_VAR = 14;
const BTF_DATASEC = 15;

/** Typedef, volatile, const, restrict, type tag: laid out as the type that they are about. */
const MODIFIERS: readonly number[] = [8, 9, 10, 11, 18];

/** Bytes behind the record of a type, by kind: once, and for each of its entries. */
const TAILS: readonly (readonly [once: number, each: number])[] = [
  [0, 0],
  [4, 0], // int
  [0, 0],
  [12, 0], // array
  [0, 12], // struct
  [0, 12], // union
  [0, 8], // enum
  [0, 0],
  [0, 0],
  [0, 0],
  [0, 0],
  [0, 0],
  [0, 0],
  [0, 8], // function prototype
  [4, 0], // variable
  [0, 12], // data section
  [0, 0],
  [4, 0], // declaration tag
  [0, 0],
  [0, 12], // enum64
];

const BTF_MAGIC = 0xeb9f;
const RECORD_SIZE = 12;
const POINTER_SIZE = 8;
/** Of a function, in its count: BTF_FUNC_GLOBAL. */
const GLOBAL = 1;
/** Of modifiers and arrays within each other: compilers stay far below, and a type could be made of itself. */
const MAX_DEPTH = 32;

export interface BtfType {
  readonly kind: number;
  readonly name: string;
  /** Bytes, or the id of the type that this one refers to: as the kind has it. */
  readonly sizeOrType: number;
  /** Of a struct or union: that members may be bit-fields. */
  readonly flag: boolean;
  /** Number of entries. */
  readonly count: number;
  /** Where the bytes behind the record are. */
  readonly tail: number;
}

export interface BtfMember {
  /** Empty for a struct or union without a name, whose members count as those of the outer one. */
  readonly name: string;
  readonly type: number;
  /** Bytes; undefined for a bit-field. */
  readonly offset: number | undefined;
}

/** The types that the compiler noted (-g). Ids count from 1; 0 is void. */
export class BtfTypes {
  readonly #view: ByteView;
  readonly #names: ByteView;
  readonly #types: readonly BtfType[];

  /** @throws SkeinError SKEIN_BAD_OBJECT */
  constructor(section: Section) {
    this.#view = viewOf(section);
    this.#names = btfStrings(section);
    this.#types = readTypes(this.#view, this.#names);
  }

  /** A type without its typedefs and qualifiers; undefined for void. */
  plain(id: number): BtfType | undefined {
    let type = this.#types[id - 1];
    for (let depth = 0; type !== undefined && MODIFIERS.includes(type.kind); depth++) {
      if (depth === MAX_DEPTH) return undefined;
      type = this.#types[type.sizeOrType - 1];
    }
    return type;
  }

  /** Bytes; undefined for what has no size. */
  sizeOf(id: number): number | undefined {
    let count = 1;
    let type = this.plain(id);
    for (let depth = 0; type?.kind === BTF_ARRAY && depth < MAX_DEPTH; depth++) {
      const array = this.array(type);
      count *= array.count;
      type = this.plain(array.element);
    }
    if (type === undefined || type.kind === BTF_ARRAY) return undefined;
    return count * (type.kind === BTF_PTR ? POINTER_SIZE : type.sizeOrType);
  }

  /** The variables of a data section: the id of the type of each. */
  variables(section: string): ReadonlyMap<string, number> {
    const found = this.#types.find(({ kind, name }) => kind === BTF_DATASEC && name === section);
    if (found === undefined) return new Map();
    const variables = this.#entries(found).map((at) => this.#types[this.#view.u32(at) - 1]);
    return new Map(
      variables.flatMap((variable) =>
        variable?.kind === BTF_VAR ? [[variable.name, variable.sizeOrType]] : [],
      ),
    );
  }

  /** Types of the parameters of a global function; undefined when there is none of that name. */
  parameters(name: string): readonly number[] | undefined {
    const fn = this.#types.find((type) => type.kind === BTF_FUNC && type.name === name);
    const prototype = fn?.count === GLOBAL ? this.#types[fn.sizeOrType - 1] : undefined;
    return prototype && this.#entries(prototype).map((at) => this.#view.u32(at + 4));
  }

  /** Of a struct or union. */
  members(type: BtfType): readonly BtfMember[] {
    return this.#entries(type).map((at) => {
      const place = this.#view.u32(at + 8);
      const bits = type.flag ? place & 0xffffff : place;
      const isBitField = (type.flag && place >>> 24 !== 0) || bits % 8 !== 0;
      return {
        name: this.#names.name(this.#view.u32(at)),
        type: this.#view.u32(at + 4),
        offset: isBitField ? undefined : bits / 8,
      };
    });
  }

  array({ tail }: BtfType): { readonly element: number; readonly count: number } {
    return { element: this.#view.u32(tail), count: this.#view.u32(tail + 8) };
  }

  /** Whether an int type is a plain unsigned number: no sign, no char, no bool, all of its bits. */
  isUnsigned({ tail, sizeOrType }: BtfType): boolean {
    return this.#view.u32(tail) === 8 * sizeOrType;
  }

  #entries({ kind, count, tail }: BtfType): readonly number[] {
    const each = TAILS[kind]?.[1] ?? 0;
    return Array.from({ length: count }, (_, index) => tail + index * each);
  }
}

/** The names that .BTF and .BTF.ext refer to; none without .BTF. */
export function btfStrings(section: Section | undefined): ByteView {
  if (section === undefined) return new ByteView(new Uint8Array(), 'strings of .BTF');
  const view = viewOf(section);
  if (view.u16(0) !== BTF_MAGIC) throw view.error(0, 'not .BTF data');
  return new ByteView(view.slice(view.u32(4) + view.u32(16), view.u32(20)), 'strings of .BTF');
}

function readTypes(view: ByteView, names: ByteView): readonly BtfType[] {
  const types: BtfType[] = [];
  const start = view.u32(4) + view.u32(8);
  const end = start + view.u32(12);
  for (let at = start; at < end; ) {
    const info = view.u32(at + 4);
    const kind = (info >>> 24) & 0x1f;
    const [once, each] = TAILS[kind] ?? [];
    if (once === undefined || each === undefined || kind === 0)
      throw view.error(at + 4, `a type of unknown kind ${kind}`);
    const count = info & 0xffff;
    const tail = at + RECORD_SIZE;
    const size = once + each * count;
    view.slice(tail, size);
    const sizeOrType = view.u32(at + 8);
    types.push({
      kind,
      name: names.name(view.u32(at)),
      sizeOrType,
      flag: info >>> 31 !== 0,
      count,
      tail,
    });
    at = tail + size;
  }
  return types;
}

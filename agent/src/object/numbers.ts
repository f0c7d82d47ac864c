import { BTF_INT, BTF_STRUCT, BTF_UNION, type BtfType, type BtfTypes } from './btf.ts';

/** An unsigned number within a value. */
export interface NumberPlace {
  /** Bytes into the value; a multiple of size. */
  readonly offset: number;
  readonly size: 4 | 8;
}

/** Why there is none. */
export interface NoNumber {
  readonly problem: string;
}

/**
 * The number at `path`, member names from the outside in, of a value of the type; an empty path is the value itself.
 *
 * @param what the value, for the problem
 */
export function findNumber(
  types: BtfTypes,
  id: number,
  path: readonly string[],
  what: string,
): NumberPlace | NoNumber {
  let offset = 0;
  let type = types.plain(id);
  let where = what;
  for (const [depth, name] of path.entries()) {
    if (!isComposite(type)) return { problem: `${where} has no members, so none named "${name}"` };
    const members = flatMembers(types, type);
    const member = members.get(name);
    if (member === undefined) {
      return {
        problem: `${where} has no member "${name}"; it has: ${[...members.keys()].join(', ')}`,
      };
    }
    where = `"${path.slice(0, depth + 1).join('.')}" of ${what}`;
    if (member.offset === undefined) return { problem: `${where} is a bit-field` };
    offset += member.offset;
    type = types.plain(member.type);
  }
  if (isComposite(type)) {
    return {
      problem: `${where} is no number; its members: ${[...flatMembers(types, type).keys()].join(', ')}`,
    };
  }
  const size = type?.sizeOrType;
  if (type?.kind !== BTF_INT || !types.isUnsigned(type) || (size !== 4 && size !== 8)) {
    return { problem: `${where} is not an unsigned number of 4 or 8 bytes` };
  }
  if (offset % size !== 0) return { problem: `${where} is not aligned to its ${size} bytes` };
  return { offset, size };
}

type Composite = BtfType & { readonly kind: typeof BTF_STRUCT | typeof BTF_UNION };

const isComposite = (type: BtfType | undefined): type is Composite =>
  type?.kind === BTF_STRUCT || type?.kind === BTF_UNION;

interface Place {
  readonly type: number;
  readonly offset: number | undefined;
}

/** Members by name, those of unnamed members included. */
function flatMembers(types: BtfTypes, outer: Composite): ReadonlyMap<string, Place> {
  const found = new Map<string, Place>();
  // C allows no type within itself, but a hostile object might.
  const seen = new Set<BtfType>([outer]);
  const open: { readonly type: Composite; readonly base: number }[] = [{ type: outer, base: 0 }];
  for (const { type, base } of open) {
    for (const member of types.members(type)) {
      const offset = member.offset === undefined ? undefined : base + member.offset;
      const inner = types.plain(member.type);
      if (member.name !== '') found.set(member.name, { type: member.type, offset });
      else if (isComposite(inner) && offset !== undefined && !seen.has(inner)) {
        seen.add(inner);
        open.push({ type: inner, base: offset });
      }
    }
  }
  return found;
}

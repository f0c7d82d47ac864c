import { BTF_ARRAY, BTF_PTR, BTF_STRUCT, type BtfTypes } from './btf.ts';

/** A map as the object defines it in `.maps`. */
export interface MapDefinition {
  readonly name: string;
  /** `BPF_MAP_TYPE_*`. */
  readonly type: number;
  readonly maxEntries: number;
  /** `BPF_F_*`. */
  readonly flags: number;
  /** Bytes. */
  readonly keySize: number;
  readonly valueSize: number;
  /** Id of the value's type; undefined where the definition gives its size alone. */
  readonly valueType: number | undefined;
}

/**
 * The maps of an object, by name. `__uint(name, n)` is a pointer to an array of n, `__type(name, t)` a pointer to t
 * (tools/lib/bpf/bpf_helpers.h); what is not written so is 0.
 */
export function readMaps(types: BtfTypes): ReadonlyMap<string, MapDefinition> {
  return new Map(
    [...types.variables('.maps')].flatMap(([name, id]) => {
      const definition = types.plain(id);
      if (definition?.kind !== BTF_STRUCT) return [];
      const given = new Map(
        types.members(definition).map((member) => [member.name, pointedTo(types, member.type)]),
      );
      const number = (field: string) => countOf(types, given.get(field));
      const valueType = given.get('value');
      const bytesOf = (field: string) => {
        const type = given.get(field);
        return (type === undefined ? undefined : types.sizeOf(type)) ?? number(`${field}_size`);
      };
      const map: MapDefinition = {
        name,
        type: number('type'),
        maxEntries: number('max_entries'),
        flags: number('map_flags'),
        keySize: bytesOf('key'),
        valueSize: bytesOf('value'),
        valueType,
      };
      return [[name, map]];
    }),
  );
}

function pointedTo(types: BtfTypes, id: number): number | undefined {
  const pointer = types.plain(id);
  return pointer?.kind === BTF_PTR ? pointer.sizeOrType : undefined;
}

function countOf(types: BtfTypes, id: number | undefined): number {
  const array = id === undefined ? undefined : types.plain(id);
  return array?.kind === BTF_ARRAY ? types.array(array).count : 0;
}

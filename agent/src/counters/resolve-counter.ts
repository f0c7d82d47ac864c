import { SkeinError } from '#common/errors.ts';
import type { CounterPlace } from '../engine/engine.ts';
import { BtfTypes } from '../object/btf.ts';
import { isWritableData } from '../object/key-variables.ts';
import { type MapDefinition, readMaps } from '../object/maps.ts';
import { findNumber, type NumberPlace } from '../object/numbers.ts';
import type { ObjectSpec } from '../object/spec.ts';
import { STT_OBJECT } from '../object/symbols.ts';
import type { CounterConfig } from './counter-config.ts';
import type { UnitCounter } from './unit-counter.ts';

/** BPF_MAP_TYPE_*, by number; the first ones of include/uapi/linux/bpf.h. */
const MAP_TYPES =
  'unspecified hash array prog_array perf_event_array percpu_hash percpu_array stack_trace cgroup_array lru_hash lru_percpu_hash lpm_trie array_of_maps hash_of_maps devmap sockmap cpumap xskmap sockhash cgroup_storage reuseport_sockarray percpu_cgroup_storage queue stack sk_storage devmap_hash struct_ops ringbuf'.split(
    ' ',
  );
const READABLE: readonly string[] = ['array', 'percpu_array'];

/** Holds counters of the configuration against one object. */
export class CounterResolver {
  readonly #object: ObjectSpec;
  readonly #path: string;
  readonly #types: BtfTypes | undefined;
  readonly #maps: ReadonlyMap<string, MapDefinition>;

  /**
   * @param path of the object, for messages
   * @throws SkeinError SKEIN_BAD_OBJECT
   */
  constructor(object: ObjectSpec, path: string) {
    this.#object = object;
    this.#path = path;
    const section = object.sections.find(({ name }) => name === '.BTF');
    this.#types = section && new BtfTypes(section);
    this.#maps = this.#types ? readMaps(this.#types) : new Map();
  }

  /**
   * @param field where in the configuration, for messages
   * @throws SkeinError SKEIN_CONFIG naming the field that does not fit the object
   */
  resolve(config: CounterConfig, field: string): UnitCounter {
    if (this.#types === undefined) {
      throw refuse(field, `${this.#path} has no types: compile it with -g`);
    }
    const { metric, help, index, map, variable } = config;
    const family = { metric, help, label: index?.label };
    if (map !== undefined) {
      const definition = this.#map(map, `${field}.map`);
      const number = this.#numberOfMap(definition, this.#types, config, field);
      return { ...family, map, samples: samplesOf(definition, number, config, field) };
    }
    const { section, place } = this.#variable(variable ?? '', this.#types, config, field);
    return { ...family, map: section, samples: [{ value: undefined, place }] };
  }

  #map(name: string, field: string): MapDefinition {
    const found = this.#maps.get(name);
    if (found === undefined) {
      const names = [...this.#maps.keys()].join(', ') || 'none';
      throw refuse(field, `${this.#path} has no map "${name}"; it has: ${names}`);
    }
    const type = MAP_TYPES[found.type] ?? String(found.type);
    if (READABLE.includes(type)) return found;
    throw refuse(
      field,
      `map "${name}" is of type ${type}; counters are read from an array or a percpu_array`,
    );
  }

  #numberOfMap(
    { name, valueSize, valueType }: MapDefinition,
    types: BtfTypes,
    { field: path, offset, bytes = 8 }: CounterConfig,
    field: string,
  ): NumberPlace {
    if (offset !== undefined) {
      if (offset % bytes !== 0) throw refuse(`${field}.offset`, `not a multiple of ${bytes} bytes`);
      if (offset + bytes <= valueSize) return { offset, size: bytes };
      throw refuse(`${field}.offset`, `values of map "${name}" have ${valueSize} bytes`);
    }
    if (valueType === undefined) {
      throw refuse(`${field}.map`, `map "${name}" names no type of its values: give an offset`);
    }
    return numberIn(types, valueType, path, `the value of map "${name}"`, field);
  }

  #variable(
    name: string,
    types: BtfTypes,
    { field: path }: CounterConfig,
    field: string,
  ): { readonly section: string; readonly place: CounterPlace } {
    const { sections, symbols } = this.#object;
    const variables = symbols.flatMap((symbol) => {
      const section = symbol.section === undefined ? undefined : sections[symbol.section];
      return section && symbol.type === STT_OBJECT && isWritableData(section)
        ? [{ name: symbol.name, offset: symbol.offset, section: section.name }]
        : [];
    });
    const [found, second] = variables.filter((variable) => variable.name === name);
    const type = found && types.variables(found.section).get(name);
    if (found === undefined || type === undefined) {
      const names = variables.map((variable) => variable.name).join(', ') || 'none';
      throw refuse(
        `${field}.variable`,
        `${this.#path} has no writable global variable "${name}"; it has: ${names}`,
      );
    }
    if (second) throw refuse(`${field}.variable`, `${this.#path} has several named "${name}"`);
    const { offset, size } = numberIn(types, type, path, `variable "${name}"`, field);
    return { section: found.section, place: { index: 0, offset: found.offset + offset, size } };
  }
}

function samplesOf(
  { name, maxEntries }: MapDefinition,
  number: NumberPlace,
  { index }: CounterConfig,
  field: string,
): UnitCounter['samples'] {
  if (index === undefined) {
    if (maxEntries === 1) return [{ value: undefined, place: { index: 0, ...number } }];
    throw refuse(`${field}.index`, `missing: map "${name}" has ${maxEntries} entries`);
  }
  return Object.entries(index.values).map(([value, entry]) => {
    if (entry < maxEntries) return { value, place: { index: entry, ...number } };
    throw refuse(
      `${field}.index.values.${value}`,
      `map "${name}" has entries 0 to ${maxEntries - 1}`,
    );
  });
}

function numberIn(
  types: BtfTypes,
  type: number,
  path: string | undefined,
  what: string,
  field: string,
): NumberPlace {
  const number = findNumber(types, type, path?.split('.') ?? [], what);
  if (!('problem' in number)) return number;
  throw refuse(path === undefined ? field : `${field}.field`, number.problem);
}

function refuse(field: string, what: string): SkeinError {
  return new SkeinError('SKEIN_CONFIG', `${field}: ${what}`);
}

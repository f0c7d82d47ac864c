import { BtfTypes } from '#agent/object/btf.ts';
import { readMaps } from '#agent/object/maps.ts';
import type { ObjectSpec, Section } from '#agent/object/spec.ts';
import type { MapInput, MapType } from '../verifier/input.ts';
import { notForRuntimes } from './not-for-runtimes.ts';

/** A map of an object: what the verifier knows of it, how a runtime makes it, and what names it. */
export interface ObjectMap extends MapInput {
  /** `BPF_MAP_TYPE_*`. */
  readonly number: number;
  /** `BPF_F_*`. */
  readonly flags: number;
  /** The section that is its value, or `.maps`. */
  readonly section: number;
  /** Bytes into `.maps`. */
  readonly offset: number;
  /** Of the only entry; absent for zeros and for maps without one. */
  readonly initial: Uint8Array | undefined;
}

/** enum bpf_map_type */
const TYPES: Readonly<Record<number, MapType>> = {
  1: 'hash',
  2: 'array',
  3: 'prog-array',
  4: 'perf-event-array',
  5: 'percpu-hash',
  6: 'percpu-array',
  7: 'stack-trace',
  9: 'lru-hash',
  10: 'lru-percpu-hash',
  11: 'lpm-trie',
  14: 'devmap',
  16: 'cpumap',
  17: 'xskmap',
  22: 'queue',
  23: 'stack',
  25: 'devmap-hash',
  27: 'ringbuf',
};
const ARRAY = 2;
const MAPS_SECTION = '.maps';

/**
 * The maps of `.maps` and those that libbpf makes of data sections, in that order: programs name them by index.
 *
 * @throws SkeinError SKEIN_BAD_OBJECT, SKEIN_BAD_PROGRAM for a map of a type that the verifier does not know
 */
export function mapsOfObject(spec: ObjectSpec): readonly ObjectMap[] {
  return [...definedMaps(spec), ...spec.sections.filter(isData).map(dataMap)];
}

function definedMaps(spec: ObjectSpec): readonly ObjectMap[] {
  const section = spec.sections.find(({ name }) => name === MAPS_SECTION);
  const btf = spec.sections.find(({ name }) => name === '.BTF');
  if (section === undefined || btf === undefined) return [];
  return [...readMaps(new BtfTypes(btf)).values()].map((definition) => {
    const { name, type: number, keySize, valueSize, maxEntries, flags } = definition;
    const type = TYPES[number];
    if (type === undefined) throw notForRuntimes(`map ${name} is of type ${number}`);
    // Of an object that is not linked all offsets of BTF are 0; the symbols have them.
    const symbol = spec.symbols.find(
      (each) => each.name === name && each.section === section.index,
    );
    return {
      ...{ name, type, number, keySize, valueSize, maxEntries, flags },
      section: section.index,
      offset: symbol?.offset ?? 0,
      initial: undefined,
    };
  });
}

/** As libbpf has it. */
const isData = ({ name, size, allocated }: Section): boolean =>
  allocated && size > 0 && /^\.(data|bss|rodata)(\..+)?$/.test(name);

function dataMap({ name, index, size, bytes }: Section): ObjectMap {
  return {
    ...{ name, type: 'array', number: ARRAY, keySize: 4, valueSize: size, maxEntries: 1, flags: 0 },
    ...(name.startsWith('.rodata') ? { frozen: bytes } : {}),
    section: index,
    offset: 0,
    initial: bytes.length === 0 ? undefined : bytes,
  };
}

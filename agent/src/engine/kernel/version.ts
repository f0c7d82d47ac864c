import { SkeinError } from '#common/errors.ts';
import type { LoadedProgram, ProgramInfo } from '#proto/gen/skein/v1/helper.ts';
import type { Helper } from '../../helper/helper.ts';
import type { ObjectSpec, StaticKey } from '../../object/spec.ts';
import type { UnitSpec } from '../engine.ts';
import { dynamicObject } from './dynamic-object.ts';
import { adopt, adoptProgram, closeHandles, pinProgram, removeDirectory } from './pin-tree.ts';
import { dynamicDirectory, mapPin } from './pins.ts';
import type { ReadUnit } from './read-unit.ts';
import { pinSiteSets } from './site-sets.ts';
import { type LoadStatistics, NO_LOAD_STATISTICS, parseLoadStatistics } from './verifier-log.ts';

/** One load of a unit's object: programs and maps, pinned, and held as handles of one helper process. */
export interface Version {
  /** Below the pin root: "UNIT/v1_...". */
  readonly directory: string;
  readonly programs: ReadonlyMap<string, Variant>;
  /** Key-holding section → map handle. */
  readonly keyMaps: ReadonlyMap<string, number>;
  /** All that it keeps open in the helper. */
  readonly handles: readonly number[];
}

export interface Variant {
  readonly handle: number;
  readonly info: ProgramInfo;
  readonly load: LoadStatistics;
}

/** Loads the attached programs of the object, with maps of their own, and pins all of it. */
export async function loadVersion(
  helper: Helper,
  unit: ReadUnit,
  directory: string,
): Promise<Version> {
  const { spec, object } = unit;
  const loaded = await helper.request('load', {
    object: dynamicObject(unit),
    name: objectName(spec.name),
    programs: spec.attachments.map((attachment) => attachment.program),
    reuse: [],
  });
  const handles = [
    ...loaded.maps.map(({ map }) => map),
    ...loaded.programs.map(({ program }) => program),
  ];
  try {
    const keyMaps = new Map(loaded.maps.map((map) => [map.section, map.map]));
    requireKeyMaps(object.keys, keyMaps, spec);
    for (const map of loaded.maps) {
      const path = mapPin(directory, map.section || map.name);
      await helper.request('pin', { handle: map.map, path });
    }
    for (const program of loaded.programs) {
      await pinProgram(helper, dynamicDirectory(directory, program.name), program);
    }
    const programs = new Map(loaded.programs.map((program) => [program.name, variant(program)]));
    await pinSiteSets(helper, unit, directory, programs);
    return { directory, programs, keyMaps, handles };
  } catch (thrown) {
    await closeHandles(helper, handles);
    await removeDirectory(helper, directory);
    throw thrown;
  }
}

/** Takes a pinned version over. `undefined` when a pin of it is missing or another program's. */
export async function adoptVersion(
  helper: Helper,
  spec: UnitSpec,
  object: ObjectSpec,
  directory: string,
): Promise<Version | undefined> {
  const handles: number[] = [];
  const programs = new Map<string, Variant>();
  const keyMaps = new Map<string, number>();
  try {
    for (const { program } of spec.attachments) {
      const adopted = await adoptProgram(helper, dynamicDirectory(directory, program));
      if (adopted === undefined) break;
      handles.push(adopted.handle);
      programs.set(program, { ...adopted, load: NO_LOAD_STATISTICS });
    }
    const sections = new Set(object.keys.map((key) => key.section));
    for (const section of sections) {
      const adopted = await adopt(helper, mapPin(directory, section));
      if (adopted === undefined) break;
      handles.push(adopted.handle);
      if (adopted.info?.$case !== 'map') break;
      keyMaps.set(section, adopted.handle);
    }
    if (programs.size === spec.attachments.length && keyMaps.size === sections.size) {
      return { directory, programs, keyMaps, handles };
    }
  } catch (thrown) {
    await closeHandles(helper, handles);
    throw thrown;
  }
  await closeHandles(helper, handles);
  return undefined;
}

function variant(loaded: LoadedProgram): Variant {
  if (loaded.info === undefined) {
    throw new SkeinError('SKEIN_HELPER_PROTOCOL', `load of ${loaded.name}: no program info`);
  }
  const load = parseLoadStatistics(new TextDecoder().decode(loaded.verifierLog));
  return { handle: loaded.program, info: loaded.info, load };
}

function requireKeyMaps(
  keys: readonly StaticKey[],
  maps: ReadonlyMap<string, number>,
  spec: UnitSpec,
): void {
  const homeless = keys.find((key) => !maps.has(key.section));
  if (homeless) {
    throw new SkeinError(
      'SKEIN_BAD_OBJECT',
      `${spec.objectPath}: static key ${homeless.name} is in ${homeless.section}, which libbpf made no map of`,
    );
  }
}

/** BPF object names: at most 15 of [A-Za-z0-9_]. */
export function objectName(unit: string): string {
  return unit.replaceAll(/[^A-Za-z0-9_]/g, '_').slice(0, 15);
}

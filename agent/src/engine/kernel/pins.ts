import { createHash } from 'node:crypto';
import type { Attachment } from '../engine.ts';
import { hookOfSection } from './hooks.ts';

/**
 * Where a unit lives in bpffs, below the pin root:
 *
 *     UNIT/vFORMAT_DIGEST_SERIAL/prog_PROGRAM/TAG          the dynamic variant of each program, see pinProgram()
 *     UNIT/vFORMAT_DIGEST_SERIAL/spec_PROGRAM/VECTOR/TAG   its specialised variants, see encodeVector()
 *     UNIT/vFORMAT_DIGEST_SERIAL/sites_KEY   addresses of a static key's branches, see pinSiteSets()
 *     UNIT/vFORMAT_DIGEST_SERIAL/map_MAP     its maps, global data included; other tools may read them
 *     UNIT/hook_KIND_HASH/dispatcher         the program attached at the hook
 *     UNIT/hook_KIND_HASH/slot               its one-entry PROG_ARRAY
 *     UNIT/hook_KIND_HASH/link               the attachment
 *
 * Hooks outlive object versions: a new version is put in force by swapping slots.
 */

/**
 * What the names and the programs of a version mean. A version of another format is not adopted but replaced, as that
 * of another object is. To be raised with any change of: which keys are found in an object and in what order (VECTOR
 * has a bit for each), how sites are lowered and found again, what is pinned under which name.
 */
const FORMAT = 1;

export const versionPrefix = (digest: string): string => `v${FORMAT}_${digest.slice(0, 12)}_`;

/** Of any format. */
export const isVersion = (name: string): boolean => /^v\d+_[0-9a-f]{12}_\d+$/.test(name);
export const isHook = (name: string): boolean => /^hook_[a-z_]+_[0-9a-f]{12}$/.test(name);

/** The first version directory of this digest that is not taken. */
export function freeVersion(digest: string, taken: readonly string[]): string {
  const prefix = versionPrefix(digest);
  for (let serial = 0; ; serial++) {
    const name = `${prefix}${serial}`;
    if (!taken.includes(name)) return name;
  }
}

/**
 * One directory per hook. XDP has room for one program of ours per device, so there a renamed program takes
 * over the slot; elsewhere several programs of a unit may share a hook and the name tells them apart. What SEC()
 * says of XDP and tc is a mere name; of the others it is part of where they are attached.
 */
export function hookDirectory({ hook, program }: Attachment, section: string): string {
  const isDevice = hook.kind === 'xdp' || hook.kind === 'tc';
  const identity = {
    ...hook,
    program: hook.kind === 'xdp' ? '' : program,
    target: isDevice ? '' : hookOfSection(section)?.target,
  };
  const sorted = Object.entries(identity).sort(([a], [b]) => (a < b ? -1 : 1));
  const hash = createHash('sha256').update(JSON.stringify(sorted)).digest('hex');
  return `hook_${hook.kind}_${hash.slice(0, 12)}`;
}

export const dynamicDirectory = (version: string, program: string): string =>
  `${version}/prog_${program}`;

export const specialisedDirectory = (version: string, program: string): string =>
  `${version}/spec_${program}`;

/** bpffs reserves dots, so ".data.static_keys" becomes "map__data_static_keys". */
export const mapPin = (version: string, map: string): string =>
  `${version}/map_${map.replaceAll(/[^A-Za-z0-9_-]/g, '_')}`;

import { createHash } from 'node:crypto';
import type { Attachment } from '../engine.ts';

/**
 * Where a unit lives in bpffs, below the pin root:
 *
 *     UNIT/v_DIGEST_SERIAL/prog_PROGRAM    the dynamic variant of each program
 *     UNIT/v_DIGEST_SERIAL/spec_PROGRAM/VECTOR   its specialised variants, see encodeVector()
 *     UNIT/v_DIGEST_SERIAL/sites_KEY       addresses of a static key's branches, see pinSiteSets()
 *     UNIT/v_DIGEST_SERIAL/map_MAP         its maps, global data included; other tools may read them
 *     UNIT/hook_KIND_HASH/dispatcher       the program attached at the hook
 *     UNIT/hook_KIND_HASH/slot             its one-entry PROG_ARRAY
 *     UNIT/hook_KIND_HASH/link             the attachment
 *
 * Hooks outlive object versions: a new version is put in force by swapping slots.
 */
export const versionPrefix = (digest: string): string => `v_${digest.slice(0, 12)}_`;

export const isVersion = (name: string): boolean => name.startsWith('v_');
export const isHook = (name: string): boolean => name.startsWith('hook_');

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
 * over the slot; elsewhere several programs of a unit may share a hook and the name tells them apart.
 */
export function hookDirectory(attachment: Attachment): string {
  const { hook, program } = attachment;
  const identity = { ...hook, program: hook.kind === 'xdp' ? '' : program };
  const sorted = Object.entries(identity).sort(([a], [b]) => (a < b ? -1 : 1));
  const hash = createHash('sha256').update(JSON.stringify(sorted)).digest('hex');
  return `hook_${hook.kind}_${hash.slice(0, 12)}`;
}

export const programPin = (version: string, program: string): string =>
  `${version}/prog_${program}`;

export const specialisedDirectory = (version: string, program: string): string =>
  `${version}/spec_${program}`;

/** bpffs reserves dots, so ".data.static_keys" becomes "map__data_static_keys". */
export const mapPin = (version: string, map: string): string =>
  `${version}/map_${map.replaceAll(/[^A-Za-z0-9_-]/g, '_')}`;

import { createHash } from 'node:crypto';
import type { Helper } from '../../helper/helper.ts';
import { sitesOfProgram } from '../../object/call-graph.ts';
import { siteSetName } from '../site-set-name.ts';
import type { ReadUnit } from './read-unit.ts';
import { SitePlaces } from './site-addresses.ts';
import { siteMarks } from './site-marks.ts';

/** As helper.proto, MakeSetRequest. */
const MAX_VALUES = 65_536;
const PIN_PREFIX = 'sites_';

/**
 * Pins, for every static key, the set of the kernel text addresses of its branches in the dynamic variants, for other
 * tools to read. It is bookkeeping: frozen, and apart from the poking of code. A key some of whose addresses cannot
 * be told (no debug information, kptr_restrict) gets no set rather than one that lacks some. The
 * set is of plain 8-byte values; it could as well hold addresses of variables, which the kernel does not tell.
 * @param programs handles of the dynamic variants, by name
 */
export async function pinSiteSets(
  helper: Helper,
  unit: ReadUnit,
  directory: string,
  programs: ReadonlyMap<string, { readonly handle: number }>,
): Promise<void> {
  for (const [key, addresses] of await addressesByKey(helper, unit, programs)) {
    if (addresses === undefined || addresses.length > MAX_VALUES) continue;
    const set = { name: siteSetName(key), values: [...addresses] };
    const { map } = await helper.request('makeSet', set);
    await helper.request('pin', { handle: map, path: siteSetPin(directory, key) });
    await helper.request('close', { handle: map });
  }
}

/** A component of a pin's path is 1..64 of [A-Za-z0-9_-] (helper.proto); what a longer or stranger name loses, a hash makes up for. */
export function siteSetPin(directory: string, key: string): string {
  const plain = key.replaceAll(/[^A-Za-z0-9_-]/g, '_');
  if (plain === key && key.length <= 64 - PIN_PREFIX.length)
    return `${directory}/${PIN_PREFIX}${key}`;
  const hash = createHash('sha256').update(key).digest('hex').slice(0, 12);
  return `${directory}/${PIN_PREFIX}${plain.slice(0, 45)}_${hash}`;
}

/** By static key; `undefined` when not all of them are known. */
async function addressesByKey(
  helper: Helper,
  unit: ReadUnit,
  programs: ReadonlyMap<string, { readonly handle: number }>,
): Promise<ReadonlyMap<string, readonly bigint[] | undefined>> {
  const byKey = new Map<string, bigint[] | undefined>();
  for (const [program, { handle }] of programs) {
    const code = await helper.request('readCode', { program: handle });
    const places = new SitePlaces(siteMarks(unit), code);
    for (const site of sitesOfProgram(unit.object, program)) {
      const known = byKey.has(site.key) ? byKey.get(site.key) : [];
      const place = places.find(site);
      if (place === 'unreachable') byKey.set(site.key, known);
      else if (place?.native && known) byKey.set(site.key, [...known, place.native.address]);
      else byKey.set(site.key, undefined);
    }
  }
  return byKey;
}

import type { RuntimeConnection } from '../../../helper/runtime-server.ts';
import { siteSetName } from '../../site-set-name.ts';
import type { CompiledSite } from '../jit/compile.ts';
import type { LinkedSite } from '../object/link.ts';

interface PlacedProgram {
  readonly address: bigint;
  readonly sites: readonly CompiledSite<LinkedSite>[];
}

/**
 * Makes, for every static key, the set of the addresses of its sites in these programs; an empty one for a key that
 * they do not ask. It is bookkeeping for other tools to read: neither making nor writing a map pokes code.
 *
 * @param made each handle is added as soon as it is there
 * @returns handles by key
 */
export async function makeSiteSets(
  runtime: RuntimeConnection,
  keys: readonly string[],
  programs: readonly PlacedProgram[],
  made: number[],
): Promise<ReadonlyMap<string, number>> {
  const addresses = new Map(keys.map((key): [string, bigint[]] => [key, []]));
  for (const { address, sites } of programs)
    for (const { site, offset } of sites)
      addresses.get(site.branch.key)?.push(address + BigInt(offset));
  const sets = new Map<string, number>();
  for (const [key, values] of addresses) {
    const { map } = await runtime.request('makeSet', { name: siteSetName(key), values });
    made.push(map);
    sets.set(key, map);
  }
  return sets;
}

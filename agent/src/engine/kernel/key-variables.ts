import { SkeinError } from '#common/errors.ts';
import type { Helper } from '../../helper/helper.ts';
import type { StaticKey } from '../../object/spec.ts';
import type { Version } from './version.ts';

/** Writes key variables and reads them back. Resolves to the nanoseconds that the stores took. */
export async function writeKeys(
  helper: Helper,
  version: Version,
  changes: readonly (readonly [StaticKey, boolean])[],
): Promise<bigint> {
  const variables = changes.map(([key, value]) => variable(version, key, value));
  const { pokeNs, values } = await helper.request('writeVariables', { variables });
  for (const [index, [key, wanted]] of changes.entries()) {
    const found = values[index];
    if (found !== Number(wanted)) {
      throw new SkeinError(
        'SKEIN_READBACK_MISMATCH',
        `static key ${key.name} in ${version.directory}: wrote ${Number(wanted)}, read ${found}`,
      );
    }
  }
  return pokeNs;
}

/** Static key name → value. Any value but 0 is on, as the test in the program has it. */
export async function readKeys(
  helper: Helper,
  version: Version,
  keys: readonly StaticKey[],
): Promise<ReadonlyMap<string, boolean>> {
  const variables = keys.map((key) => variable(version, key, false));
  const { values } = await helper.request('readVariables', { variables });
  return new Map(keys.map((key, index) => [key.name, values[index] !== 0]));
}

function variable(version: Version, key: StaticKey, value: boolean) {
  const map = version.keyMaps.get(key.section);
  if (map === undefined) {
    throw new SkeinError('SKEIN_INTERNAL', `${version.directory}: no map for ${key.section}`);
  }
  return { map, offset: key.offset, value: Number(value) };
}

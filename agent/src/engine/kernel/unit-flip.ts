import { SkeinError } from '#common/errors.ts';
import type { FlipReport } from '../engine.ts';
import { standingValue } from './carriers.ts';
import type { KernelUnit } from './kernel-unit.ts';
import { writeKeys } from './key-variables.ts';
import type { ReadUnit } from './read-unit.ts';

/**
 * Programs whose specialised variant for the new values is loaded change by one poke of their slot, all keys
 * together. The others read the variables: those on the dynamic tier change with each store, those that
 * leave a specialised variant by one poke after all stores.
 */
export async function flipUnit(
  unit: KernelUnit,
  changes: ReadonlyMap<string, boolean>,
): Promise<FlipReport> {
  for (const name of changes.keys()) requireKey(unit.unit, name);
  const standing = [...(await unit.carriers())].map(
    ([key, carriers]) => [key, standingValue(carriers)] as const,
  );
  const values = new Map([...standing, ...changes]);
  const best = unit.programs.map((program) => ({ program, variant: program.bestFor(values) }));
  let pokeNs = 0n;
  for (const { program, variant } of best) {
    if (variant !== program.dynamic) pokeNs += await program.install(unit.helper, variant);
  }
  const all = unit.unit.object.keys.map((key) => [key, values.get(key.name) === true] as const);
  pokeNs += await writeKeys(unit.helper, unit.version, all);
  for (const { program, variant } of best) {
    if (variant === program.dynamic) pokeNs += await program.install(unit.helper, variant);
  }
  const concerned = best.filter(({ program }) => program.keys.some((key) => changes.has(key)));
  const specialised = concerned.every(({ program, variant }) => variant !== program.dynamic);
  return {
    keys: await confirmed(unit, changes),
    tier: specialised && concerned.length > 0 ? 'specialised' : 'dynamic',
    pokeNs,
  };
}

/** Reads back after a flip: the keys asked for, as the programs act on them now. */
async function confirmed(
  unit: KernelUnit,
  changes: ReadonlyMap<string, boolean>,
): Promise<ReadonlyMap<string, boolean>> {
  const found = await unit.keys();
  for (const [key, wanted] of changes) {
    if (found.get(key) !== wanted) {
      throw new SkeinError(
        'SKEIN_READBACK_MISMATCH',
        `unit ${unit.unit.spec.name}: static key ${key} was set ${wanted}, but reads ${found.get(key) ?? 'differently in its programs'}`,
      );
    }
  }
  return new Map(changes);
}

/** @throws SkeinError SKEIN_UNKNOWN_STATIC_KEY */
function requireKey({ spec, object }: ReadUnit, name: string): void {
  if (object.keys.some((key) => key.name === name)) return;
  const known = object.keys.map((each) => each.name).join(', ');
  throw new SkeinError(
    'SKEIN_UNKNOWN_STATIC_KEY',
    `unit ${spec.name}: ${spec.objectPath} has no static key ${name}; it has ${known}`,
  );
}

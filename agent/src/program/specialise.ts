import { badInstruction } from './bad-instruction.ts';
import { decideSites } from './decide-sites.ts';
import { slotsIn } from './instruction.ts';
import type { LiftedFunction, LiftedObject, Site } from './lifted.ts';
import { lowerDynamic } from './lower-dynamic.ts';
import { reachedFunctions } from './reached-functions.ts';

export interface SpecialiseOptions {
  /** Names of the programs that will be loaded; the others go. All, when absent. */
  readonly programs?: ReadonlySet<string>;
}

/**
 * The object for fixed values of some keys. Their sites go, with the code that cannot be reached then, the registers and
 * relocations that only served them, and the subprograms that nothing calls any more. Nothing is left
 * of an off branch, and an on branch is plain code. Keys without a value keep their sites in the dynamic form.
 * @param vector values by name of the static key; names that the object does not have mean nothing
 * @throws SkeinError SKEIN_BAD_OBJECT when control can run off the end of a function,
 *   SKEIN_CANNOT_LOWER as lowerDynamic() does
 */
export function specialise(
  lifted: LiftedObject,
  vector: ReadonlyMap<string, boolean>,
  { programs }: SpecialiseOptions = {},
): LiftedObject {
  const isWanted = ({ name }: LiftedFunction) => programs === undefined || programs.has(name);
  const before = reachedFunctions(lifted.functions, () => true);
  const wanted = reachedFunctions(lifted.functions, isWanted);
  const decide = ({ key, inverse }: Site): boolean | undefined => {
    const on = vector.get(key);
    return on === undefined ? undefined : on !== inverse;
  };
  const decided = lifted.functions.map((fn) => {
    const concerns = fn.body.some(({ site }) => site !== undefined && vector.has(site.key));
    if (!concerns || (before.has(fn.id) && !wanted.has(fn.id))) return fn;
    const offEnd = (position: number): never => {
      throw badFunction(lifted, fn, position);
    };
    return { ...fn, body: decideSites(fn.body, decide, offEnd) };
  });
  const after = reachedFunctions(decided, isWanted);
  const functions = decided.filter(({ id }) => after.has(id) || !before.has(id));
  return lowerDynamic({ ...lifted, functions, edited: true });
}

/** Control runs off the end of a function, which no verifier lets pass. */
function badFunction({ spec }: LiftedObject, { section, name, body }: LiftedFunction, at: number) {
  const slot = slotsIn(body.slice(0, at));
  const start = spec.functions.find((fn) => fn.name === name)?.instruction ?? 0;
  const where = spec.sections[section]?.name ?? '';
  return badInstruction(where, start + slot, `control runs off the end of ${name}`);
}

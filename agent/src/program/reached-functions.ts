import type { FunctionId, LiftedFunction } from './lifted.ts';

/**
 * The functions that are needed: the wanted programs, what data points at, and what those call or take the
 * address of, at any depth.
 */
export function reachedFunctions(
  functions: readonly LiftedFunction[],
  isWanted: (program: LiftedFunction) => boolean,
): ReadonlySet<FunctionId> {
  const byId = new Map(functions.map((fn) => [fn.id, fn]));
  const roots = functions.filter((fn) => fn.pinned || (fn.program && isWanted(fn)));
  const reached = new Set(roots.map(({ id }) => id));
  // A set hands out what is added during the iteration, too.
  for (const id of reached) {
    for (const { callee } of byId.get(id)?.body ?? []) {
      if (callee !== undefined) reached.add(callee);
    }
  }
  return reached;
}

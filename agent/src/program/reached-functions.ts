import type { FunctionId, LiftedFunction } from './lifted.ts';

/**
 * The functions that are needed: the wanted programs, what data points at, and what those call or take the
 * address of, at any depth.
 */
export function reachedFunctions(
  functions: readonly LiftedFunction[],
  isWanted: (program: LiftedFunction) => boolean,
): ReadonlySet<FunctionId> {
  const roots = functions.filter((fn) => fn.pinned || (fn.program && isWanted(fn)));
  return new CallGraph(functions).reachedFrom(roots);
}

/** Who calls whom, or takes the address of whom. */
export class CallGraph {
  readonly #callees: ReadonlyMap<FunctionId, ReadonlySet<FunctionId>>;

  constructor(functions: readonly LiftedFunction[]) {
    this.#callees = new Map(functions.map(({ id, body }) => [id, calleesOf(body)]));
  }

  /** The roots, and what they reach at any depth. */
  reachedFrom(roots: readonly LiftedFunction[]): ReadonlySet<FunctionId> {
    const reached = new Set(roots.map(({ id }) => id));
    // A set hands out what is added during the iteration, too.
    for (const id of reached) {
      for (const callee of this.#callees.get(id) ?? []) reached.add(callee);
    }
    return reached;
  }
}

function calleesOf(body: LiftedFunction['body']): ReadonlySet<FunctionId> {
  const callees = new Set<FunctionId>();
  for (const { callee } of body) if (callee !== undefined) callees.add(callee);
  return callees;
}

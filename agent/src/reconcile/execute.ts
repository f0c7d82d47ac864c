import { type SkeinError, toSkeinError } from '#common/errors.ts';
import type { Engine, FlipReport } from '../engine/engine.ts';
import type { Flip, Plan } from './plan.ts';

/** How one flip of a plan went. */
export interface FlipResult {
  readonly flip: Flip;
  readonly outcome:
    | { readonly ok: true; readonly report: FlipReport }
    | { readonly ok: false; readonly error: SkeinError };
}

/** Executes every flip; one that fails does not stop the others. */
export async function executePlan(
  engine: Pick<Engine, 'flip'>,
  plan: Plan,
): Promise<readonly FlipResult[]> {
  const results: FlipResult[] = [];
  for (const flip of plan.flips) {
    const values = new Map([...flip.changes].map(([key, change]) => [key, change.value]));
    try {
      const report = await engine.flip(flip.unit, values);
      results.push({ flip, outcome: { ok: true, report } });
    } catch (thrown) {
      results.push({ flip, outcome: { ok: false, error: toSkeinError(thrown) } });
    }
  }
  return results;
}

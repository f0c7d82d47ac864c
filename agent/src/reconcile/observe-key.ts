import { SkeinError } from '#common/errors.ts';
import type { KeyObservation, Tier } from '#common/observed.ts';
import type { UnitStatus } from '../engine/engine.ts';
import type { AgentUnit } from '../keys/agent-unit.ts';
import type { Knowledge } from '../keys/desired-table.ts';
import type { DesiredVector } from '../keys/desired-vector.ts';
import type { FlipResult } from './execute.ts';

/** One unit at the end of a round. */
export interface UnitOutcome {
  readonly unit: AgentUnit;
  readonly wanted: DesiredVector;
  /** As read back after the flip; absent when it could not be read. */
  readonly status: UnitStatus | undefined;
  readonly flip: FlipResult | undefined;
  /** Why it does not run, or could not be read. */
  readonly error: SkeinError | undefined;
}

export interface RoundTiming {
  readonly applyNs: bigint;
  readonly appliedAt: Date;
}

/** One static key that the fleet key governs, and its unit's outcome. */
interface Part {
  readonly staticKey: string;
  readonly outcome: UnitOutcome;
}

/**
 * What is to be said of one fleet key after a round. Values come from what was read back, never from what
 * was asked for.
 *
 * @param outcomes of every unit that binds the key
 */
export function observeKey(
  fleetKey: string,
  known: Knowledge,
  outcomes: readonly UnitOutcome[],
  timing: RoundTiming,
): KeyObservation {
  const parts = partsOf(fleetKey, outcomes);
  const flips = flipsOf(parts);
  const error = firstError(parts);
  const state = known.kind === 'state' ? known.state : undefined;
  const runsOther = parts.some(isHeldAndDiffers);
  return {
    key: fleetKey,
    generation: runsOther ? 0n : (state?.generation ?? 0n),
    value: parts.every(({ staticKey, outcome }) => outcome.status?.keys.get(staticKey) === true),
    outcome: error ? 'failed' : flips.length > 0 ? 'applied' : 'unchanged',
    tier: weakestTier(parts),
    pokeNs: flips.reduce(
      (sum, flip) => sum + (flip.outcome.ok ? flip.outcome.report.pokeNs : 0n),
      0n,
    ),
    ...timing,
    ...(error ? { error: { code: error.code, message: error.message } } : {}),
    ...(state && !runsOther ? { publishedAt: state.change.time } : {}),
  };
}

/** Whether the round changed a static key that the fleet key governs. */
export function wasFlipped(fleetKey: string, outcomes: readonly UnitOutcome[]): boolean {
  return flipsOf(partsOf(fleetKey, outcomes)).length > 0;
}

function partsOf(fleetKey: string, outcomes: readonly UnitOutcome[]): readonly Part[] {
  return outcomes.flatMap((outcome) =>
    outcome.unit.bindings
      .filter((binding) => binding.fleetKey === fleetKey)
      .map(({ staticKey }) => ({ staticKey, outcome })),
  );
}

function flipsOf(parts: readonly Part[]): readonly FlipResult[] {
  const flips = parts.flatMap(({ staticKey, outcome: { flip } }) =>
    flip?.flip.changes.has(staticKey) ? [flip] : [],
  );
  return [...new Set(flips)];
}

function firstError(parts: readonly Part[]): SkeinError | undefined {
  for (const { staticKey, outcome } of parts) {
    if (outcome.error) return outcome.error;
    const wanted = outcome.wanted.get(staticKey);
    const read = outcome.status?.keys.get(staticKey);
    if (!wanted || wanted.hold || read === wanted.value) continue;
    if (outcome.flip && !outcome.flip.outcome.ok) return outcome.flip.outcome.error;
    return new SkeinError(
      'SKEIN_READBACK_MISMATCH',
      `unit ${outcome.unit.spec.name}, static key ${staticKey}: wanted ${wanted.value}, read ${read}`,
    );
  }
  return undefined;
}

function isHeldAndDiffers({ staticKey, outcome }: Part): boolean {
  const wanted = outcome.wanted.get(staticKey);
  if (!wanted?.hold || !outcome.status) return false;
  return outcome.status.keys.get(staticKey) !== wanted.value;
}

function weakestTier(parts: readonly Part[]): Tier {
  const tiers = parts.flatMap(({ outcome: { flip, status } }) => {
    if (flip?.outcome.ok) return [flip.outcome.report.tier];
    return status?.programs.map((program) => program.tier) ?? ['dynamic' as const];
  });
  return (
    (['patched', 'specialised'] as const).find((wanted) =>
      tiers.every((tier) => tier === wanted),
    ) ?? 'dynamic'
  );
}

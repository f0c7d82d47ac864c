import type { SkeinError } from '#common/errors.ts';
import type { Logger } from '#common/log.ts';
import type { Target } from '#common/targeting/evaluate.ts';
import type { Engine } from '../engine/engine.ts';
import type { Knowledge } from '../keys/desired-table.ts';
import { type DesiredVector, desiredVector } from '../keys/desired-vector.ts';
import { expectedFlips } from '../keys/expected-flips.ts';
import { executePlan, type FlipResult } from './execute.ts';
import type { UnitOutcome } from './observe-key.ts';
import { describePlan, planFlips } from './plan.ts';
import type { UnitRunner } from './unit-runner.ts';

export interface RoundPorts {
  readonly engine: Engine;
  readonly target: Target;
  readonly logger: Logger;
}

/**
 * What is known of each fleet key, held still for a round: what arrives meanwhile is for the next one, so that
 * no value is ever reported under a generation that it was not made from.
 */
export type FrozenKnowledge = (fleetKey: string) => Knowledge;

/**
 * One round: bring up and observe, plan, execute, read back, attach. Attaching comes after the flip, so
 * that a unit loaded anew never meets an event in its declared state.
 */
export async function runRound(
  runners: readonly UnitRunner[],
  knowledge: FrozenKnowledge,
  ports: RoundPorts,
): Promise<readonly UnitOutcome[]> {
  const acting = runners.filter((runner) => !runner.waiting);
  for (const runner of acting) await runner.prepare();

  const wanted = new Map(
    runners.map((runner) => [runner, vectorOf(runner, knowledge, ports.target)]),
  );
  const plan = planFlips(
    [...wanted].flatMap(([{ unit, status }, vector]) =>
      status ? [{ unit: unit.spec.name, wanted: vector, observed: status.keys }] : [],
    ),
  );
  for (const line of describePlan(plan)) ports.logger.info(line);
  const results = await executePlan(ports.engine, plan);

  const outcomes: UnitOutcome[] = [];
  for (const [runner, vector] of wanted) {
    const flip = results.find((result) => result.flip.unit === runner.unit.spec.name);
    ports.engine.expect(runner.unit.spec.name, expectedFlips(runner.unit, knowledge));
    if (acting.includes(runner)) await finish(runner, flip);
    const { unit, status, error } = runner;
    outcomes.push({ unit, wanted: vector, status, flip, error });
  }
  return outcomes;
}

async function finish(runner: UnitRunner, flip: FlipResult | undefined): Promise<void> {
  if (flip?.outcome.ok) runner.flipped(flip.outcome.report);
  else if (flip) await runner.reread();
  const failure = flipError(flip);
  if (!failure) await runner.attach();
  const error = runner.error ?? failure;
  if (error) runner.failed(error);
  else runner.succeeded();
}

function flipError(flip: FlipResult | undefined): SkeinError | undefined {
  return flip && !flip.outcome.ok ? flip.outcome.error : undefined;
}

function vectorOf(runner: UnitRunner, knowledge: FrozenKnowledge, target: Target): DesiredVector {
  return desiredVector(runner.unit, runner.adopted, knowledge, target);
}

import { SkeinError } from '#common/errors.ts';
import type { Cohort, RolloutSpec, Step } from '#common/rollout/spec.ts';
import { badField } from '#common/rollout/spec-fields.ts';
import { normaliseSelector } from '#common/targeting/selector.ts';
import { checkGate } from './check-gate.ts';
import { checkAmount, checkDuration, checkWhole } from './check-number.ts';
import { checkWindows } from './check-windows.ts';

export interface SpecContext {
  readonly cohorts: readonly Cohort[];
  readonly now: Date;
}

/** A rule for each cohort, and a record that still fits what NATS carries by default. */
const MAX_STEPS = 100;
const MAX_GATES = 20;
/** Clocks differ, and a command takes its time. */
const PAST_MS = 60_000;

/**
 * The spec, normalised, with the selectors of its cohorts as they are now.
 *
 * @throws SkeinError SKEIN_BAD_ROLLOUT, SKEIN_COHORT_NOT_FOUND, SKEIN_BAD_SELECTOR, naming the field
 */
export function checkSpec(spec: RolloutSpec, { cohorts, now }: SpecContext): RolloutSpec {
  const { steps, limits, startAt } = spec;
  if (spec.key === '') throw badField('key', 'is empty');
  if (steps.length === 0) throw badField('steps', 'there are none');
  if (steps.length > MAX_STEPS) {
    throw badField('steps', `there are ${steps.length}, more than ${MAX_STEPS}`);
  }
  checkWhole('approvals', spec.approvals, 0);
  checkAmount('limits.max_unavailable', limits.maxUnavailable);
  checkAmount('limits.max_failed', limits.maxFailed);
  if (limits.maxConcurrent) checkAmount('limits.max_concurrent', limits.maxConcurrent, 1);
  checkDuration('limits.ack_timeout_ms', limits.ackTimeoutMs, 1);
  checkStart(startAt, now);
  for (const [index, step] of steps.entries()) checkStep(step, index, steps);
  checkDeadline(spec);
  checkWindows(spec, now);
  return {
    ...spec,
    selector: selectorOf('selector', spec.selector),
    steps: steps.map((step, index) => withCohort(step, `steps[${index}]`, cohorts)),
  };
}

function checkStart(startAt: Date | undefined, now: Date): void {
  if (!startAt) return;
  const time = startAt.getTime();
  if (Number.isNaN(time)) throw badField('start_at', 'is no time');
  if (time < now.getTime() - PAST_MS) {
    throw badField(
      'start_at',
      `${startAt.toISOString()} is in the past, it is ${now.toISOString()}`,
    );
  }
}

function checkStep({ reach, bakeMs, gates }: Step, index: number, steps: readonly Step[]): void {
  const field = `steps[${index}]`;
  checkDuration(`${field}.bake_ms`, bakeMs, 0);
  if (reach.kind === 'percent') {
    const { percent } = reach;
    if (!(percent > 0 && percent <= 100)) {
      throw badField(`${field}.percent`, `${percent} is not above 0 and at most 100`);
    }
    checkForward(`${field}.percent`, percent, steps.slice(0, index), ({ reach: earlier }) =>
      earlier.kind === 'percent' ? earlier.percent : undefined,
    );
  }
  if (reach.kind === 'hosts') {
    checkWhole(`${field}.hosts`, reach.hosts, 1);
    checkForward(`${field}.hosts`, reach.hosts, steps.slice(0, index), ({ reach: earlier }) =>
      earlier.kind === 'hosts' ? earlier.hosts : undefined,
    );
  }
  if (gates.length > MAX_GATES) {
    throw badField(`${field}.gates`, `there are ${gates.length}, more than ${MAX_GATES}`);
  }
  for (const [at, gate] of gates.entries()) {
    const inGate = `${field}.gates[${at}]`;
    checkGate(gate, inGate);
    const twin = gates.findIndex(({ name }) => name === gate.name);
    if (twin < at) throw badField(`${inGate}.name`, `"${gate.name}" names gates[${twin}] already`);
  }
}

/** The same again is a step with another bake, or other gates. */
function checkForward(
  field: string,
  value: number,
  earlier: readonly Step[],
  reached: (step: Step) => number | undefined,
): void {
  for (const [index, step] of earlier.entries()) {
    const before = reached(step);
    if (before !== undefined && before > value) {
      throw badField(field, `${value} goes backwards, steps[${index}] reaches ${before}`);
    }
  }
}

function checkDeadline({ steps, limits: { deadlineMs } }: RolloutSpec): void {
  if (deadlineMs === undefined) return;
  checkDuration('limits.deadline_ms', deadlineMs, 1);
  const bakes = steps.reduce((sum, { bakeMs }) => sum + bakeMs, 0);
  if (bakes > deadlineMs) {
    const what = `${deadlineMs} is less than the ${bakes} ms of all bakes together`;
    throw badField('limits.deadline_ms', what);
  }
}

function withCohort(step: Step, field: string, cohorts: readonly Cohort[]): Step {
  const { reach } = step;
  if (reach.kind !== 'cohort') return step;
  const cohort = cohorts.find(({ name }) => name === reach.cohort);
  if (!cohort) {
    throw new SkeinError('SKEIN_COHORT_NOT_FOUND', `${field}.cohort: "${reach.cohort}"`);
  }
  const selector = selectorOf(`${field}.cohort`, cohort.selector);
  return { ...step, reach: { ...reach, selector } };
}

function selectorOf(field: string, text: string): string {
  try {
    return normaliseSelector(text);
  } catch (error) {
    if (!(error instanceof SkeinError)) throw error;
    throw new SkeinError(error.code, `${field}: ${error.message}`, { cause: error });
  }
}

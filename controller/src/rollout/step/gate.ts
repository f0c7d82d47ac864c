import type { GateProgress, Measurement } from '#common/rollout/rollout.ts';
import type { Gate, MissingPolicy, Step } from '#common/rollout/spec.ts';

/** What a measurement, taken into account, means for the rollout. */
export type GateNews = 'none' | 'failed' | 'inconclusive' | 'no-data' | 'error';

export function freshGates(step: Step | undefined, now: Date): GateProgress[] {
  return (step?.gates ?? []).map((gate) => freshGate(now, gate.initialDelayMs));
}

/** A gate that gave reason for a pause begins anew; others keep what they have. */
export function rearmed(gates: readonly GateProgress[], step: Step, now: Date): GateProgress[] {
  return gates.map((progress, index) => {
    const gate = step.gates[index];
    return gate && hasStopped(gate, progress) ? freshGate(now, 0) : progress;
  });
}

/** Counts a measurement. A gate that has passed can still fail, for as long as it is measured. */
export function counted(
  gate: Gate,
  before: GateProgress,
  measurement: Measurement,
): { readonly progress: GateProgress; readonly news: GateNews } {
  const seen = { ...before, last: measurement };
  switch (measurement.outcome) {
    case 'success':
      return judged(gate, { ...seen, succeeded: seen.succeeded + 1, missing: 0 });
    case 'failure':
      return judged(gate, { ...seen, failed: seen.failed + 1, missing: 0 });
    case 'inconclusive':
      return judged(gate, { ...seen, inconclusive: seen.inconclusive + 1, missing: 0 });
    case 'no-data':
    case 'error':
      return missed(gate, { ...seen, missing: seen.missing + 1 }, measurement.outcome);
  }
}

/** Measured often enough, and never once with success: nothing is known, so it neither passes nor goes on. */
export function isEmptyHanded({ count }: Gate, { succeeded, ignored }: GateProgress): boolean {
  return succeeded === 0 && ignored >= count;
}

function judged(gate: Gate, seen: GateProgress): ReturnType<typeof counted> {
  if (seen.failed > gate.failureLimit) return failed(seen);
  if (seen.inconclusive > gate.inconclusiveLimit) return { progress: seen, news: 'inconclusive' };
  const passed = seen.succeeded > 0 && seen.succeeded + seen.ignored >= gate.count;
  return { progress: passed ? { ...seen, verdict: 'passed' } : seen, news: 'none' };
}

function missed(
  gate: Gate,
  seen: GateProgress,
  outcome: 'no-data' | 'error',
): ReturnType<typeof counted> {
  if (seen.missing <= gate.missingLimit) return { progress: seen, news: 'none' };
  switch (policyOf(gate, outcome)) {
    case 'pause':
      return { progress: seen, news: outcome };
    case 'fail':
      return failed(seen);
    case 'ignore':
      return judged(gate, { ...seen, ignored: seen.ignored + 1 });
  }
}

function failed(seen: GateProgress): ReturnType<typeof counted> {
  return { progress: { ...seen, verdict: 'failed' }, news: 'failed' };
}

function policyOf(gate: Gate, outcome: Measurement['outcome'] | undefined): MissingPolicy {
  return outcome === 'error' ? gate.onError : gate.onNoData;
}

function hasStopped(gate: Gate, progress: GateProgress): boolean {
  const { verdict, inconclusive, missing, last } = progress;
  if (verdict === 'failed' || inconclusive > gate.inconclusiveLimit) return true;
  if (missing > gate.missingLimit && policyOf(gate, last?.outcome) === 'pause') return true;
  return isEmptyHanded(gate, progress);
}

function freshGate(now: Date, delayMs: number): GateProgress {
  return {
    verdict: 'open',
    succeeded: 0,
    failed: 0,
    inconclusive: 0,
    ignored: 0,
    missing: 0,
    nextAt: new Date(now.getTime() + delayMs),
  };
}

import type { KeyObservation } from '#common/observed.ts';
import type { Knowledge } from '../keys/desired-table.ts';
import type { UnitRunner } from './unit-runner.ts';

/** Why the host is not ready, a line each; empty when every unit runs desired or last-known-good state. */
export function notReady(
  units: readonly Pick<UnitRunner, 'unit' | 'status' | 'error'>[],
  keys: readonly string[],
  observations: readonly KeyObservation[],
  knowledge: (fleetKey: string) => Knowledge,
): readonly string[] {
  const reasons: string[] = [];
  for (const { unit, status, error } of units) {
    if (error) reasons.push(`unit ${unit.spec.name}: ${error.code}: ${error.message}`);
    else if (!status?.attached) reasons.push(`unit ${unit.spec.name}: not attached yet`);
  }
  const observed = new Map(observations.map((observation) => [observation.key, observation]));
  for (const key of keys) {
    const reason = keyReason(observed.get(key), knowledge(key));
    if (reason !== undefined) reasons.push(`key ${key}: ${reason}`);
  }
  return reasons;
}

function keyReason(seen: KeyObservation | undefined, known: Knowledge): string | undefined {
  if (!seen) return 'not observed yet';
  if (seen.error) return `${seen.error.code}: ${seen.error.message}`;
  if (known.kind === 'unknown')
    return 'no desired state known, and the control plane not reached yet';
  const generation = known.kind === 'state' ? known.state.generation : 0n;
  if (seen.generation === generation) return undefined;
  return `runs ${seen.value ? 'on' : 'off'}, which is not generation ${generation}; not confirmed yet`;
}

import { GATE_DEFAULTS } from '#common/rollout/gate-wire.ts';
import type { Gate, GateSource } from '#common/rollout/spec.ts';

/** A gate with what a test does not care about filled in. */
export function gate(more: Pick<Gate, 'source'> & Partial<Gate>): Gate {
  return {
    name: 'loss',
    ...GATE_DEFAULTS,
    intervalMs: 1_000,
    ...more,
  };
}

/** A gate on PromQL, by default on every series of an instant query. */
export function promQl(
  query: string,
  source: Partial<Extract<GateSource, { kind: 'prometheus' }>> = {},
  conditions: Pick<Gate, 'success' | 'failure'> = { success: '< 0.01' },
): Gate {
  return gate({
    source: { kind: 'prometheus', query, hosts: { kind: 'all' }, ...source },
    ...conditions,
  });
}

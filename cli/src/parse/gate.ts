import { SkeinError } from '#common/errors.ts';
import { GATE_DEFAULTS } from '#common/rollout/gate-wire.ts';
import type { BuiltinMeasure, Gate, GateSource } from '#common/rollout/spec.ts';

const MEASURES: readonly BuiltinMeasure[] = [
  'host-failures',
  'verifier-failures',
  'flip-latency',
  'missing-acks',
];
const CONDITION = /^(.*\S)\s*((?:<=|>=|==|!=|<|>)\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)$/s;
const QUANTILE = 0.99;

/**
 * `PROMQL < 0.01` or `host-failures == 0`: what is measured, and the condition that a good measurement meets. The
 * last comparison with a number is the condition; it is no part of the query, where it would filter.
 *
 * @param number of the gate among its fellows, from 1
 * @throws SkeinError SKEIN_INVALID_ARGUMENT naming `place`
 */
export function parseGate(text: string, number: number, place: string): Gate {
  const [, query = '', success] = CONDITION.exec(text.trim()) ?? [];
  if (success === undefined) {
    throw new SkeinError('SKEIN_INVALID_ARGUMENT', `${place}: "${text}" ends in no condition`, {
      remedy: 'Write it as "PROMQL < 0.01" or "host-failures == 0".',
    });
  }
  const measure = MEASURES.find((name) => name === query);
  return {
    ...GATE_DEFAULTS,
    name: measure ?? `gate-${number}`,
    source: measure ? builtin(measure) : { kind: 'prometheus', query, hosts: { kind: 'all' } },
    success,
  };
}

function builtin(measure: BuiltinMeasure): GateSource {
  return {
    kind: 'builtin',
    measure,
    ...(measure === 'flip-latency' ? { quantile: QUANTILE } : {}),
  };
}

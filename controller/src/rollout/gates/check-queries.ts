import { SkeinError, toSkeinError } from '#common/errors.ts';
import type { RolloutSpec } from '#common/rollout/spec.ts';
import type { Prometheus, PromQuery } from '../../prometheus/client.ts';
import { notConfigured } from './measure.ts';

/**
 * Asks Prometheus each query of a rollout once, so that one that can never work is refused before anything changes.
 * Takes no longer than one query may.
 *
 * @returns warnings: queries that could not be tried, and why
 * @throws SkeinError SKEIN_BAD_ROLLOUT naming the gate whose query Prometheus does not understand; SKEIN_PROMETHEUS
 *   when a gate has a query and no Prometheus is configured
 */
export async function checkQueries(
  spec: RolloutSpec,
  prometheus: Prometheus | undefined,
): Promise<string[]> {
  const places = new Map<string, Place>();
  for (const [step, { gates }] of spec.steps.entries()) {
    for (const [index, gate] of gates.entries()) {
      if (gate.source.kind !== 'prometheus') continue;
      if (!prometheus) throw notConfigured(gate);
      const { query, range } = gate.source;
      const field = `steps[${step}].gates[${index}].prometheus.query`;
      const text = JSON.stringify([query, range]);
      if (!places.has(text)) places.set(text, { field, query: gate.source, prometheus });
    }
  }
  const warnings = await Promise.all([...places.values()].map(check));
  return [...new Set(warnings.flat())];
}

interface Place {
  readonly field: string;
  readonly query: PromQuery;
  readonly prometheus: Prometheus;
}

async function check({ field, query, prometheus }: Place): Promise<string[]> {
  let fault: string | undefined;
  try {
    fault = await prometheus.faultOf(query);
  } catch (thrown) {
    return [`a query could not be tried: ${toSkeinError(thrown).message}`];
  }
  if (fault === undefined) return [];
  throw new SkeinError('SKEIN_BAD_ROLLOUT', `${field}: ${fault}`);
}

import type { Clock } from '#common/clock.ts';
import type { DesiredState } from '#common/desired.ts';
import { SkeinError, toSkeinError } from '#common/errors.ts';
import type { Measurement } from '#common/rollout/rollout.ts';
import type { Gate, GateSource } from '#common/rollout/spec.ts';
import type { KnownHost } from '../../fleet/host.ts';
import type { Prometheus } from '../../prometheus/client.ts';
import { readBuiltin } from './builtin.ts';
import { compareHosts, type HostGroups } from './compare.ts';
import { evaluateSamples, type Finding, type Sample } from './evaluate.ts';
import type { FlipLatencies } from './flip-latencies.ts';
import { reduce } from './reduce.ts';

/** What a gate is measured for: a rollout, as it stands. */
export interface GateContext {
  readonly key: string;
  /** Names of the hosts that its rules take in. */
  readonly changed: readonly string[];
  /** Names of the other hosts concerned. */
  readonly control: readonly string[];
}

/** Measures a gate once. Never rejects: what goes wrong is a measurement with the outcome "error". */
export type Measure = (gate: Gate, context: GateContext) => Promise<Measurement>;

export interface MeasurerParts {
  /** Absent when none is configured. */
  readonly prometheus: Prometheus | undefined;
  readonly fleet: { get(host: string): KnownHost | undefined };
  /** The key's desired state in force. */
  readonly desired: (key: string) => DesiredState | undefined;
  readonly latencies: Pick<FlipLatencies, 'of'>;
  readonly clock: Clock;
}

export function measurer(parts: MeasurerParts): Measure {
  return async (gate, context) => {
    const finding = await findingOf(gate, context, parts).catch(asFinding);
    return { ...finding, time: parts.clock.now() };
  };
}

function asFinding(thrown: unknown): Finding {
  return { outcome: 'error', detail: toSkeinError(thrown).line };
}

async function findingOf(gate: Gate, context: GateContext, parts: MeasurerParts): Promise<Finding> {
  const { source } = gate;
  return source.kind === 'builtin'
    ? builtinFinding(gate, source, context, parts)
    : prometheusFinding(gate, source, context, parts.prometheus);
}

function builtinFinding(
  gate: Gate,
  source: Extract<GateSource, { kind: 'builtin' }>,
  { key, changed }: GateContext,
  { fleet, desired, latencies, clock }: MeasurerParts,
): Finding {
  const state = desired(key);
  if (!state) throw new SkeinError('SKEIN_KEY_NOT_FOUND', `fleet key "${key}"`);
  const { value, note } = readBuiltin(source, {
    desired: state,
    hosts: changed.map((name) => ({ name, known: fleet.get(name) })),
    latencyOf: (host, observation) => latencies.of(host, observation),
    now: clock.now(),
  });
  if (Number.isNaN(value)) return { outcome: 'no-data', detail: note };
  const finding = evaluateSamples([{ labels: {}, value }], gate);
  return withNotes(finding, note === '' ? [] : [note]);
}

async function prometheusFinding(
  gate: Gate,
  source: Extract<GateSource, { kind: 'prometheus' }>,
  context: GateContext,
  prometheus: Prometheus | undefined,
): Promise<Finding> {
  if (!prometheus) throw notConfigured(gate);
  const { series, warnings } = await prometheus.query(source);
  const reduction = source.range?.reduction ?? 'last';
  const samples = series.map(({ labels, values }) => ({
    labels,
    value: reduce(values, reduction),
  }));
  const notes = warnings.map((warning) => `Prometheus warns: ${warning}`);
  return withNotes(judge(samples, gate, source, context), notes);
}

function judge(
  samples: readonly Sample[],
  gate: Gate,
  { hosts }: Extract<GateSource, { kind: 'prometheus' }>,
  context: GateContext,
): Finding {
  const groups: HostGroups = {
    changed: new Set(context.changed),
    control: new Set(context.control),
  };
  switch (hosts.kind) {
    case 'all':
      return evaluateSamples(samples, gate);
    case 'compare':
      return compareHosts(samples, hosts, groups);
    case 'changed': {
      const ofChanged = samples.filter(({ labels }) =>
        groups.changed.has(labels[hosts.label] ?? ''),
      );
      const by = `by label ${JSON.stringify(hosts.label)}`;
      const note = `${ofChanged.length} of ${samples.length} series are of changed hosts, ${by}`;
      return withNotes(evaluateSamples(ofChanged, gate), [note]);
    }
  }
}

function withNotes(finding: Finding, notes: readonly string[]): Finding {
  return { ...finding, detail: [finding.detail, ...notes].join('; ') };
}

export function notConfigured({ name }: Gate): SkeinError {
  return new SkeinError(
    'SKEIN_PROMETHEUS',
    `gate "${name}" asks Prometheus, and none is configured`,
    { remedy: 'Set prometheus.url in the controller configuration.' },
  );
}

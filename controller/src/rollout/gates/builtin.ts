import type { DesiredState } from '#common/desired.ts';
import type { ErrorCode } from '#common/error-catalogue.ts';
import type { KeyObservation } from '#common/observed.ts';
import type { BuiltinMeasure } from '#common/rollout/spec.ts';
import type { KnownHost } from '../../fleet/host.ts';
import { phaseOf } from '../../keys/progress.ts';

/** A changed host; `known` is absent when the fleet view has none of that name. */
export interface ChangedHost {
  readonly name: string;
  readonly known: KnownHost | undefined;
}

export interface BuiltinView {
  /** Of the rollout's key. */
  readonly desired: DesiredState;
  readonly hosts: readonly ChangedHost[];
  /** Seconds from the making of a generation to its acknowledgement, as this controller measured it. */
  readonly latencyOf: (host: string, observation: KeyObservation) => number | undefined;
  readonly now: Date;
}

/** What a built-in source measured; NaN: no data. */
export interface Reading {
  readonly value: number;
  /** Which hosts, and how; empty when there is nothing to add. */
  readonly note: string;
}

export interface BuiltinSource {
  readonly measure: BuiltinMeasure;
  /** Of the flip latency, 0 < quantile <= 1; absent: 1, the slowest host. */
  readonly quantile?: number;
}

export function readBuiltin({ measure, quantile = 1 }: BuiltinSource, view: BuiltinView): Reading {
  switch (measure) {
    case 'host-failures':
      return counted(view.hosts.filter((host) => failuresOf(host).length > 0));
    case 'verifier-failures':
      return counted(view.hosts.filter((host) => failuresOf(host).includes(VERIFIER)));
    case 'missing-acks':
      return counted(view.hosts.filter((host) => isMissing(host, view)));
    case 'flip-latency':
      return flipLatency(quantile, view);
  }
}

const VERIFIER: ErrorCode = 'SKEIN_VERIFIER_REJECTED';
const NAMED_HOSTS = 3;

/** Codes of every key that the host reports as failed: what one key breaks may show on another. */
function failuresOf({ known }: ChangedHost): string[] {
  const failed = [...(known?.observations.values() ?? [])].filter((o) => o.outcome === 'failed');
  return failed.map(({ error }) => error?.code ?? '');
}

function isMissing({ known }: ChangedHost, { desired, now }: BuiltinView): boolean {
  const observation = known?.observations.get(desired.name);
  if (!known || !observation) return true;
  const phase = phaseOf(desired, known, observation, now);
  return phase === 'pending' || phase === 'lost';
}

function counted(hosts: readonly ChangedHost[]): Reading {
  const names = hosts.slice(0, NAMED_HOSTS).map(({ name }) => name);
  const more = hosts.length > NAMED_HOSTS ? `, and ${hosts.length - NAMED_HOSTS} more` : '';
  return { value: hosts.length, note: names.join(', ') + more };
}

/**
 * Of hosts that have acknowledged the key's generation. Where this controller did not see the ack come in, the host's
 * clock must do: its time of applying less the controller's time of making, which is no less than 0.
 */
function flipLatency(quantile: number, { desired, hosts, latencyOf }: BuiltinView): Reading {
  const measured: number[] = [];
  const reported: number[] = [];
  for (const { name, known } of hosts) {
    const observation = known?.observations.get(desired.name);
    if (!observation || observation.generation < desired.generation) continue;
    if (observation.outcome === 'failed') continue;
    const seconds = latencyOf(name, observation);
    const { appliedAt, publishedAt } = observation;
    if (seconds !== undefined) measured.push(seconds);
    else if (publishedAt)
      reported.push(Math.max(0, appliedAt.getTime() - publishedAt.getTime()) / 1_000);
  }
  const all = [...measured, ...reported].sort((a, b) => a - b);
  const value = all[Math.max(0, Math.ceil(quantile * all.length) - 1)] ?? Number.NaN;
  const byHosts = reported.length > 0 ? `, ${reported.length} by their own clocks` : '';
  return {
    value,
    note: `quantile ${quantile} of ${all.length} of ${hosts.length} hosts${byHosts}`,
  };
}

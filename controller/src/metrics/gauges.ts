import { Gauge, type Registry } from 'prom-client';
import type { DesiredState } from '#common/desired.ts';
import { PHASES, type RolloutState } from '#common/rollout/rollout.ts';
import { HOST_STATES, type HostState } from '../fleet/host-state.ts';

/** What the gauges show when they are scraped. */
export interface GaugeSource {
  /** The newest state of every fleet key, tombstones included. */
  keys(): readonly DesiredState[];
  hostStates(): Iterable<HostState>;
  isConnected(): boolean;
  /** Of every rollout that is kept. */
  rollouts(): Iterable<RolloutState>;
  isFrozen(): boolean;
  holdsLease(): boolean;
  /** Changes in force without an audit record. */
  auditMissing(): number;
}

/** Why a rollout waits for a person; undefined when it does not. */
function attentionOf(state: RolloutState): string | undefined {
  if (state.phase === 'paused') {
    const cause = state.pause?.cause;
    return cause === 'operator' || cause === 'hold' ? undefined : cause;
  }
  if (state.phase !== 'aborted' || state.width === 0) return undefined;
  return state.rollingBack ? 'rolling-back' : 'aborted';
}

/** What is, as opposed to what has happened; docs/metrics.md describes each. */
export function defineGauges(registry: Registry, version: string, source: GaugeSource): void {
  const registers = [registry];
  new Gauge({
    name: 'skein_controller_build_info',
    help: 'Always 1; the version is a label.',
    labelNames: ['version'],
    registers,
  }).set({ version }, 1);

  const number = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  const flag = (name: string, help: string, read: () => boolean) =>
    number(name, help, () => (read() ? 1 : 0));
  const living = () => source.keys().filter(({ deleted }) => !deleted);
  number('skein_controller_keys', 'Fleet keys, deleted ones not counted.', () => living().length);
  number(
    'skein_controller_killed_keys',
    'Fleet keys that are killed.',
    () => living().filter(({ kill }) => kill !== undefined).length,
  );
  flag('skein_controller_nats_connected', '1 while there is a connection to NATS.', () =>
    source.isConnected(),
  );
  flag('skein_controller_frozen', '1 while a freeze is in force.', () => source.isFrozen());
  number(
    'skein_controller_audit_records_missing',
    'Changes in force whose audit record could not be written yet.',
    () => source.auditMissing(),
  );
  flag('skein_controller_lease_held', '1 while this controller drives the rollouts.', () =>
    source.holdsLease(),
  );

  new Gauge({
    name: 'skein_controller_hosts',
    help: 'Hosts ever heard of, by state.',
    labelNames: ['state'],
    registers,
    collect() {
      for (const state of HOST_STATES) this.set({ state }, 0);
      for (const state of source.hostStates()) this.inc({ state });
    },
  });
  new Gauge({
    name: 'skein_controller_rollouts',
    help: 'Rollouts that are kept, by phase.',
    labelNames: ['phase'],
    registers,
    collect() {
      for (const phase of PHASES) this.set({ phase }, 0);
      for (const { phase } of source.rollouts()) this.inc({ phase });
    },
  });
  new Gauge({
    name: 'skein_controller_rollouts_attention',
    help: 'Rollouts that wait for a person, by cause.',
    labelNames: ['cause'],
    registers,
    collect() {
      this.reset();
      for (const state of source.rollouts()) {
        const cause = attentionOf(state);
        if (cause !== undefined) this.inc({ cause });
      }
    },
  });
}

import type { DesiredState } from '#common/desired.ts';
import { desiredToWire } from '#common/desired-wire.ts';
import { observationToWire, reportToWire } from '#common/observed-wire.ts';
import { type EnumTable, enumToWire } from '#common/wire-enum.ts';
import * as fleetWire from '#proto/gen/skein/v1/fleet.ts';
import * as keysWire from '#proto/gen/skein/v1/keys.ts';
import type { KnownHost } from '../fleet/host.ts';
import type { HostState } from '../fleet/host-state.ts';
import type { HostPhase, HostProgress } from '../keys/progress.ts';

/** What keys/ and fleet/ give, to the wire. */
export function keyToWire(
  state: DesiredState,
  etag: string,
  progress?: readonly HostProgress[],
): keysWire.Key {
  const hosts = progress?.map(({ host, phase, desiredValue, observation }) => ({
    host,
    phase: enumToWire(PHASES, phase),
    desiredValue,
    observation: observationToWire(observation),
  }));
  return { desired: desiredToWire(state), etag, progress: hosts && { hosts } };
}

export function hostToWire(host: KnownHost, state: HostState): fleetWire.Host {
  return {
    status: reportToWire(host.report),
    state: enumToWire(STATES, state),
    lastSeen: host.lastSeen,
  };
}

const PHASES: EnumTable<HostPhase, keysWire.HostPhase> = {
  pending: keysWire.HostPhase.PENDING,
  applied: keysWire.HostPhase.APPLIED,
  failed: keysWire.HostPhase.FAILED,
  lost: keysWire.HostPhase.LOST,
};

const STATES: EnumTable<HostState, fleetWire.HostState> = {
  synced: fleetWire.HostState.SYNCED,
  pending: fleetWire.HostState.PENDING,
  degraded: fleetWire.HostState.DEGRADED,
  lost: fleetWire.HostState.LOST,
};

import { NO_CONTROL } from '#common/control/control.ts';
import { controlFromWire } from '#common/control/control-wire.ts';
import { desiredFromWire } from '#common/desired-wire.ts';
import { observationFromWire, reportFromWire } from '#common/observed-wire.ts';
import { transitionFromWire } from '#common/rollout/rollout-wire.ts';
import { type EnumTable, enumFromWire, present } from '#common/wire-enum.ts';
import type * as audit from '#proto/gen/skein/v1/audit.ts';
import * as fleet from '#proto/gen/skein/v1/fleet.ts';
import * as keys from '#proto/gen/skein/v1/keys.ts';
import type { AuditEntry, HostProgress, HostView, KeyView, PastState } from './skein-client.ts';

/** Answers of the controller into domain types. All throw SKEIN_STORE_CORRUPT for what does not fit. */
export function keyFromWire(message: keys.Key): KeyView {
  return {
    desired: desiredFromWire(present(message.desired, 'key.desired')),
    etag: message.etag,
    hosts: (message.progress?.hosts ?? []).map(progressFromWire),
  };
}

export function hostFromWire(message: fleet.Host): HostView {
  return {
    report: reportFromWire(present(message.status, 'host.status')),
    state: enumFromWire(STATES, message.state, 'host.state'),
    ...(message.lastSeen ? { lastSeen: message.lastSeen } : {}),
  };
}

export function auditFromWire({ what }: audit.AuditRecord): AuditEntry {
  const entry = present(what, 'record.what');
  switch (entry.$case) {
    case 'key': {
      const { old, new: after } = entry.value;
      return {
        kind: 'key',
        ...(old ? { before: desiredFromWire(old) } : {}),
        after: desiredFromWire(present(after, 'record.new')),
      };
    }
    case 'rollout': {
      const { rollout, key, transition } = entry.value;
      return {
        kind: 'rollout',
        rollout,
        key,
        transition: transitionFromWire(present(transition, 'record.transition')),
      };
    }
    case 'control': {
      const { old, new: after } = entry.value;
      return {
        kind: 'control',
        ...(old ? { before: controlFromWire(old) } : {}),
        after: controlFromWire(present(after, 'record.new')),
      };
    }
  }
}

export function pastFromWire({ keys: states, control }: audit.StateAtResponse): PastState {
  return {
    keys: states.map(desiredFromWire),
    control: control ? controlFromWire(control) : NO_CONTROL,
  };
}

function progressFromWire(message: keys.HostProgress): HostProgress {
  return {
    host: message.host,
    phase: enumFromWire(PHASES, message.phase, 'progress.phase'),
    desiredValue: message.desiredValue,
    ...(message.observation ? { observation: observationFromWire(message.observation) } : {}),
  };
}

const PHASES: EnumTable<HostProgress['phase'], keys.HostPhase> = {
  pending: keys.HostPhase.PENDING,
  applied: keys.HostPhase.APPLIED,
  failed: keys.HostPhase.FAILED,
  lost: keys.HostPhase.LOST,
};

const STATES: EnumTable<HostView['state'], fleet.HostState> = {
  synced: fleet.HostState.SYNCED,
  pending: fleet.HostState.PENDING,
  degraded: fleet.HostState.DEGRADED,
  lost: fleet.HostState.LOST,
};

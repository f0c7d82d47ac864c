import { controlFromWire, controlToWire } from '#common/control/control-wire.ts';
import { desiredFromWire, desiredToWire } from '#common/desired-wire.ts';
import { transitionFromWire, transitionToWire } from '#common/rollout/rollout-wire.ts';
import { present } from '#common/wire-enum.ts';
import type * as wire from '#proto/gen/skein/v1/audit.ts';
import type { AuditRecord, ControlChange, KeyChange, RolloutChange } from './audit-record.ts';

/** Audit records have one wire form, in the stream and in the API. */
export function auditToWire(record: AuditRecord): wire.AuditRecord {
  return { what: whatToWire(record) };
}

function whatToWire(record: AuditRecord): NonNullable<wire.AuditRecord['what']> {
  switch (record.kind) {
    case 'key':
      return {
        $case: 'key',
        value: { old: record.old && desiredToWire(record.old), new: desiredToWire(record.new) },
      };
    case 'rollout': {
      const { rollout, key, transition } = record;
      return {
        $case: 'rollout',
        value: { rollout, key, transition: transitionToWire(transition) },
      };
    }
    case 'control':
      return {
        $case: 'control',
        value: { old: record.old && controlToWire(record.old), new: controlToWire(record.new) },
      };
  }
}

/** @throws SkeinError SKEIN_STORE_CORRUPT */
export function auditFromWire(message: wire.AuditRecord): AuditRecord {
  const what = present(message.what, 'audit.what');
  switch (what.$case) {
    case 'key':
      return keyFromWire(what.value);
    case 'rollout':
      return rolloutFromWire(what.value);
    case 'control':
      return controlChangeFromWire(what.value);
  }
}

function keyFromWire(message: wire.KeyChange): KeyChange {
  return {
    kind: 'key',
    ...(message.old ? { old: desiredFromWire(message.old) } : {}),
    new: desiredFromWire(present(message.new, 'audit.key.new')),
  };
}

function rolloutFromWire({ rollout, key, transition }: wire.RolloutChange): RolloutChange {
  return {
    kind: 'rollout',
    rollout,
    key,
    transition: transitionFromWire(present(transition, 'audit.rollout.transition')),
  };
}

function controlChangeFromWire(message: wire.ControlChange): ControlChange {
  const next = controlFromWire(present(message.new, 'audit.control.new'));
  present(next.note, 'audit.control.new.note');
  return {
    kind: 'control',
    ...(message.old ? { old: controlFromWire(message.old) } : {}),
    new: next,
  };
}

import { desiredFromWire, desiredToWire } from '#common/desired-wire.ts';
import { present } from '#common/wire-enum.ts';
import type * as wire from '#proto/gen/skein/v1/audit.ts';
import type { AuditRecord } from './audit-record.ts';

/** Audit records have one wire form, in the stream and in the API. */
export function auditToWire(record: AuditRecord): wire.AuditRecord {
  const state = desiredToWire(record.new);
  return {
    key: record.new.name,
    change: state.change,
    old: record.old ? desiredToWire(record.old) : undefined,
    new: state,
  };
}

/** @throws SkeinError SKEIN_STORE_CORRUPT */
export function auditFromWire(message: wire.AuditRecord): AuditRecord {
  return {
    ...(message.old ? { old: desiredFromWire(message.old) } : {}),
    new: desiredFromWire(present(message.new, 'audit.new')),
  };
}

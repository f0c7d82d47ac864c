import { controlToWire } from '#common/control/control-wire.ts';
import { desiredToWire } from '#common/desired-wire.ts';
import type { AuditServiceServer } from '#proto/gen/skein/v1/audit.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import { auditToWire } from '../audit/audit-wire.ts';
import { type CallParts, unary } from './call.ts';
import { auditQuery, stateAtFromWire } from './requests.ts';

export function auditService(
  calls: CallParts,
  log: Pick<AuditLog, 'list' | 'stateAt'>,
): AuditServiceServer {
  return {
    list: unary(calls, async (request) => ({
      records: (await log.list(auditQuery(request))).map(auditToWire),
    })),
    stateAt: unary(calls, async (request) => {
      const { time, key } = stateAtFromWire(request);
      const { keys, control } = await log.stateAt(time, key);
      return { keys: keys.map(desiredToWire), control: control && controlToWire(control) };
    }),
  };
}

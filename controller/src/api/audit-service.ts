import type { AuditServiceServer } from '#proto/gen/skein/v1/audit.ts';
import type { AuditLog } from '../audit/audit-record.ts';
import { auditToWire } from '../audit/audit-wire.ts';
import { type CallParts, unary } from './call.ts';
import { auditQuery } from './requests.ts';

export function auditService(calls: CallParts, log: AuditLog): AuditServiceServer {
  return {
    list: unary(calls, async (request) => ({
      records: (await log.list(auditQuery(request))).map(auditToWire),
    })),
  };
}

import { SkeinError } from '#common/errors.ts';
import type { SitesQuery } from '#common/site.ts';
import { queryFromWire } from '#common/site-wire.ts';
import { normaliseSelector } from '#common/targeting/selector.ts';
import type { ListAuditRequest } from '#proto/gen/skein/v1/audit.ts';
import type { ListSitesRequest } from '#proto/gen/skein/v1/fleet.ts';
import type {
  CreateKeyRequest,
  DeleteKeyRequest,
  SetKeyRequest,
} from '#proto/gen/skein/v1/keys.ts';
import { FLEET_KEY_NAME, HOST_NAME } from '#proto/subjects.ts';
import type { AuditQuery } from '../audit/audit-record.ts';
import type { Mutation } from '../keys/change.ts';
import type { MutationRequest } from '../keys/key-desk.ts';

/** Characters. Records must stay far below what NATS carries in one message. */
const MAX_TEXT = 1024;
const MAX_SELECTOR = 2048;
const MAX_REQUEST_ID = 128;
const DEFAULT_AUDIT_LIMIT = 100;
const MAX_AUDIT_LIMIT = 1000;

/** Requests on the wire to what keys/, fleet/ and audit/ take. Each throws SkeinError SKEIN_INVALID_ARGUMENT naming the field. */
export function createFromWire(request: CreateKeyRequest): Mutation {
  return {
    action: 'create',
    name: keyName(request.name),
    description: text('description', request.description),
    defaultValue: request.defaultValue,
  };
}

/** @throws SkeinError also SKEIN_BAD_SELECTOR */
export function setFromWire(request: SetKeyRequest): Mutation {
  const { percent } = request;
  if (percent !== undefined && !(percent >= 0 && percent <= 100)) {
    throw invalid('percent', `${percent} is not within 0..100`);
  }
  return {
    action: 'set',
    name: keyName(request.name),
    value: request.value,
    selector: selectorText(request.selector),
    ...(percent === undefined ? {} : { percent }),
  };
}

export function deleteFromWire(request: DeleteKeyRequest): Mutation {
  return { action: 'delete', name: keyName(request.name) };
}

export function mutationRequest(
  request: { reason: string; requestId: string; validateOnly: boolean; etag?: string },
  actor: string,
): MutationRequest {
  if (request.requestId.length > MAX_REQUEST_ID) {
    throw invalid('request_id', `longer than ${MAX_REQUEST_ID} characters`);
  }
  return {
    actor,
    reason: text('reason', request.reason),
    requestId: request.requestId,
    etag: request.etag ?? '',
    validateOnly: request.validateOnly,
  };
}

export function auditQuery(request: ListAuditRequest): AuditQuery {
  if (request.limit > MAX_AUDIT_LIMIT) {
    throw invalid('limit', `${request.limit} is more than ${MAX_AUDIT_LIMIT}`);
  }
  if (request.since && Number.isNaN(request.since.getTime()))
    throw invalid('since', 'out of range');
  return {
    ...(request.key === '' ? {} : { key: keyName(request.key, 'key') }),
    ...(request.since ? { since: request.since } : {}),
    limit: request.limit || DEFAULT_AUDIT_LIMIT,
  };
}

export function keyName(name: string, field = 'name'): string {
  if (FLEET_KEY_NAME.test(name)) return name;
  const shown = JSON.stringify(name.slice(0, 128));
  throw invalid(field, `${shown} is not a fleet key name`, {
    remedy: 'Write 1 to 128 of a-z, 0-9, "_" and "-" in parts separated by dots.',
  });
}

/** The names of units, programs and static keys are the agent's to know. */
export function sitesFromWire(request: ListSitesRequest): {
  readonly host: string;
  readonly query: SitesQuery;
} {
  const { unit, program, key } = request;
  for (const [field, value] of Object.entries({ unit, program, key })) text(field, value);
  return { host: hostName(request.host, 'host'), query: queryFromWire(request) };
}

export function hostName(name: string, field = 'name'): string {
  if (HOST_NAME.test(name)) return name;
  throw invalid(field, `${JSON.stringify(name.slice(0, 253))} is not a host name`);
}

export function selectorText(selector: string): string {
  if (selector.length > MAX_SELECTOR) {
    throw invalid('selector', `longer than ${MAX_SELECTOR} characters`);
  }
  return normaliseSelector(selector);
}

function text(field: string, value: string): string {
  if (value.length > MAX_TEXT) throw invalid(field, `longer than ${MAX_TEXT} characters`);
  return value;
}

function invalid(field: string, what: string, options: { remedy?: string } = {}): SkeinError {
  return new SkeinError('SKEIN_INVALID_ARGUMENT', `${field}: ${what}`, options);
}

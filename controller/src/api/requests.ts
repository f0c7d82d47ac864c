import type { DumpQuery } from '#common/assembly.ts';
import type { SitesQuery } from '#common/site.ts';
import { queryFromWire } from '#common/site-wire.ts';
import type { ListAuditRequest, StateAtRequest } from '#proto/gen/skein/v1/audit.ts';
import type { DumpProgramRequest, ListSitesRequest } from '#proto/gen/skein/v1/fleet.ts';
import type {
  ApplyKeyRequest,
  CreateKeyRequest,
  DeclaredRule as DeclaredRuleOnWire,
  SetKeyRequest,
} from '#proto/gen/skein/v1/keys.ts';
import type { AuditQuery } from '../audit/audit-log.ts';
import type { MutationRequest } from '../keys/key-desk.ts';
import {
  type ApplyMutation,
  type CreateMutation,
  type DeclaredRule,
  MAX_TTL_MS,
  MIN_TTL_MS,
  type SetMutation,
} from '../keys/mutation.ts';
import { MAX_RULES } from '../keys/rules.ts';
import { hostName, invalid, keyName, percentage, selectorText, text, time } from './fields.ts';

const MAX_REQUEST_ID = 128;
const DEFAULT_AUDIT_LIMIT = 100;
const MAX_AUDIT_LIMIT = 1000;

/** Requests on the wire to what keys/, fleet/ and audit/ take. Each throws SkeinError SKEIN_INVALID_ARGUMENT naming the field. */
export function createFromWire(request: CreateKeyRequest): CreateMutation {
  return {
    action: 'create',
    name: keyName(request.name),
    description: text('description', request.description),
    defaultValue: request.defaultValue,
  };
}

/** @throws SkeinError also SKEIN_BAD_SELECTOR */
export function setFromWire(request: SetKeyRequest): SetMutation {
  const { ttlMs } = request;
  if (ttlMs !== 0 && (ttlMs < MIN_TTL_MS || ttlMs > MAX_TTL_MS)) {
    throw invalid('ttl_ms', `${ttlMs} is not within ${MIN_TTL_MS}..${MAX_TTL_MS}`, {
      remedy: 'A time to live is one second at least and 30 days at most.',
    });
  }
  return {
    action: 'set',
    name: keyName(request.name),
    value: request.value,
    selector: selectorText(request.selector),
    ...percentage('percent', request.percent),
    ...(ttlMs === 0 ? {} : { ttlMs }),
  };
}

/** @throws SkeinError also SKEIN_BAD_SELECTOR */
export function applyFromWire(request: ApplyKeyRequest): ApplyMutation {
  if (request.rules.length > MAX_RULES) {
    throw invalid('rules', `${request.rules.length} are more than ${MAX_RULES}`);
  }
  const rules = request.rules.map(ruleFromWire);
  for (const [i, { selector }] of rules.entries()) {
    const first = rules.findIndex((rule) => rule.selector === selector);
    if (first !== i) throw invalid(`rules[${i}].selector`, `the same as of rules[${first}]`);
  }
  return {
    action: 'apply',
    name: keyName(request.name),
    description: text('description', request.description),
    defaultValue: request.defaultValue,
    rules,
  };
}

function ruleFromWire({ selector, value, percent }: DeclaredRuleOnWire, i: number): DeclaredRule {
  return {
    selector: selectorText(selector, `rules[${i}].selector`),
    value,
    ...percentage(`rules[${i}].percent`, percent),
  };
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
  return {
    ...(request.key === '' ? {} : { key: keyName(request.key, 'key') }),
    ...(request.since ? { since: time('since', request.since) } : {}),
    limit: request.limit || DEFAULT_AUDIT_LIMIT,
  };
}

export function stateAtFromWire(request: StateAtRequest): {
  readonly time: Date;
  readonly key?: string;
} {
  if (!request.time) throw invalid('time', 'missing');
  return {
    time: time('time', request.time),
    ...(request.key === '' ? {} : { key: keyName(request.key, 'key') }),
  };
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

export function dumpFromWire(request: DumpProgramRequest): {
  readonly host: string;
  readonly query: DumpQuery;
} {
  const { unit, program, offset } = request;
  for (const [field, value] of Object.entries({ unit, program })) text(field, value);
  return { host: hostName(request.host, 'host'), query: { unit, program, offset } };
}

/**
 * Every NATS name that crosses a process boundary. HOST is one subject token: see {@link hostToken}.
 */

/** JetStream KV bucket of desired state: fleet key name → SignedEnvelope. */
export const KEYS_BUCKET = 'skein_keys';
/** JetStream KV bucket of host records: host token → HostStatus, written on change only. */
export const HOSTS_BUCKET = 'skein_hosts';
/** JetStream KV bucket of what holds for the whole fleet: {@link CONTROL_KEY} → SignedEnvelope of a Control. */
export const CONTROL_BUCKET = 'skein_control';
export const CONTROL_KEY = 'control';
/** Domain separation for signatures over Control payloads. */
export const CONTROL_SIGNATURE_CONTEXT = 'skein.v1.control\0';
/** JetStream KV bucket of rollouts: rollout id → RolloutRecord. */
export const ROLLOUTS_BUCKET = 'skein_rollouts';
/** JetStream KV bucket of the lease on driving rollouts: {@link LEASE_KEY} → Lease. */
export const LEASE_BUCKET = 'skein_lease';
export const LEASE_KEY = 'rollouts';
/** JetStream stream of AuditRecords, on {@link auditSubject}. */
export const AUDIT_STREAM = 'skein_audit';

/** Where the keys bucket is republished on core NATS: `skein.v1.desired.KEY`. */
export const DESIRED_PREFIX = 'skein.v1.desired';
/** Domain separation for signatures over DesiredKey payloads. */
export const DESIRED_SIGNATURE_CONTEXT = 'skein.v1.desired\0';

/** JetStream stream of what no webhook took, on {@link deadLetterSubject}: JSON, for people. */
export const DEAD_LETTER_STREAM = 'skein_dead_letters';
export const deadLetterSubject = (webhook: string): string => `skein.v1.dead-letter.${webhook}`;

/** In place of a key in {@link auditSubject}: changes of the control record. No key has such a name. */
export const FLEET_AUDIT = '$fleet';
export const auditSubject = (key: string): string => `skein.v1.audit.${key}`;
export const ackSubject = (host: string): string => `skein.v1.ack.${hostToken(host)}`;
export const heartbeatSubject = (host: string): string => `skein.v1.heartbeat.${hostToken(host)}`;
export const statusSubject = (host: string): string => `skein.v1.status.${hostToken(host)}`;
export const statusRequestSubject = (host: string): string =>
  `skein.v1.status-request.${hostToken(host)}`;
/** Request and reply: SitesRequest, SitesReply. */
export const sitesRequestSubject = (host: string): string =>
  `skein.v1.sites-request.${hostToken(host)}`;

/** Host names may hold dots; a subject token may not. Valid host names never hold an underscore. */
export const hostToken = (host: string): string => host.replaceAll('.', '_');

/** Fleet key names: 1..128 of [a-z0-9_-] in dot-separated parts. Each is a valid KV key and subject. */
export const FLEET_KEY_NAME = /^(?=.{1,128}$)[a-z0-9_-]+(\.[a-z0-9_-]+)*$/;
/** Host names, as RFC 1123 has them, lower case. */
export const HOST_NAME =
  /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;

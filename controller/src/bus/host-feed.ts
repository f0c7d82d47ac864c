import type { NatsConnection } from 'nats';
import { SkeinError } from '#common/errors.ts';
import type { HostReport, KeyObservation } from '#common/observed.ts';
import { observationFromWire, reportFromWire } from '#common/observed-wire.ts';
import { present } from '#common/wire-enum.ts';
import { Ack, Heartbeat, HostStatus } from '#proto/gen/skein/v1/observed.ts';
import {
  ackSubject,
  FLEET_KEY_NAME,
  HOST_NAME,
  heartbeatSubject,
  hostToken,
  statusSubject,
} from '#proto/subjects.ts';
import type { HostEvent } from '../fleet/host.ts';

export type HostMessageKind = 'ack' | 'heartbeat' | 'status';
export type HostMessageFault = 'malformed' | 'wrong_host';

const MAX_INTERVAL_MS = 3_600_000;

const READERS: Record<HostMessageKind, (data: Uint8Array) => HostEvent> = {
  ack(data) {
    const { host, observation } = Ack.decode(data);
    const read = observationFromWire(present(observation, 'observation'));
    return { kind: 'ack', host, observation: validObservation(read) };
  },
  heartbeat(data) {
    const { host, digest, incarnation, intervalMs } = Heartbeat.decode(data);
    if (intervalMs < 1 || intervalMs > MAX_INTERVAL_MS) throw malformed('interval_ms');
    return { kind: 'heartbeat', host, digest, incarnation, intervalMs };
  },
  status: (data) => ({
    kind: 'status',
    report: validReport(reportFromWire(HostStatus.decode(data))),
  }),
};

const SUBJECTS: Record<HostMessageKind, string> = {
  ack: ackSubject('*'),
  heartbeat: heartbeatSubject('*'),
  status: statusSubject('*'),
};

/**
 * Subscribes to what hosts say. A message that cannot be used is told as a fault, and changes nothing.
 *
 * @returns ends it
 */
export function followHosts(
  nc: NatsConnection,
  onEvent: (event: HostEvent) => void,
  onFault: (kind: HostMessageKind, fault: HostMessageFault, error: unknown) => void,
): () => void {
  const kinds: HostMessageKind[] = ['ack', 'heartbeat', 'status'];
  const subscriptions = kinds.map((kind) =>
    nc.subscribe(SUBJECTS[kind], {
      callback(error, message) {
        if (error) return onFault(kind, 'malformed', error);
        const read = readHostMessage(kind, message.subject, message.data);
        if (read.event) onEvent(read.event);
        else onFault(kind, read.fault, read.error);
      },
    }),
  );
  return () => {
    for (const subscription of subscriptions) subscription.unsubscribe();
  };
}

type ReadHostMessage =
  | { readonly event: HostEvent }
  | { readonly event?: undefined; readonly fault: HostMessageFault; readonly error: unknown };

/**
 * A host may speak only for itself: NATS permissions bind its subject, so the subject must name the host of the message.
 */
export function readHostMessage(
  kind: HostMessageKind,
  subject: string,
  data: Uint8Array,
): ReadHostMessage {
  try {
    const event = READERS[kind](data);
    const host = 'report' in event ? event.report.host : event.host;
    if (!HOST_NAME.test(host)) throw malformed('host');
    if (subject.split('.').at(-1) === hostToken(host)) return { event };
    const error = new SkeinError('SKEIN_STORE_CORRUPT', `${subject}: speaks for "${host}"`);
    return { fault: 'wrong_host', error };
  } catch (error) {
    return { fault: 'malformed', error };
  }
}

function validReport(report: HostReport): HostReport {
  report.keys.forEach(validObservation);
  if (new Set(report.keys.map(({ key }) => key)).size !== report.keys.length)
    throw malformed('keys');
  return report;
}

function validObservation(observation: KeyObservation): KeyObservation {
  if (!FLEET_KEY_NAME.test(observation.key)) throw malformed('observation.key');
  return observation;
}

function malformed(field: string): SkeinError {
  return new SkeinError('SKEIN_STORE_CORRUPT', `${field}: invalid`);
}

import { randomUUID } from 'node:crypto';
import type { NatsConnection } from 'nats';
import { type HostReport, type KeyObservation, observationDigest } from '#common/observed.ts';
import { observationToWire, reportToWire } from '#common/observed-wire.ts';
import { Ack, Heartbeat, HostStatus } from '#proto/gen/skein/v1/observed.ts';
import {
  ackSubject,
  heartbeatSubject,
  statusRequestSubject,
  statusSubject,
} from '#proto/subjects.ts';

/** An agent as the controller sees it: what it says on NATS, said by hand. */
export class FakeHost {
  readonly name: string;
  report: HostReport;
  statusRequests = 0;
  readonly #nc: NatsConnection;

  constructor(
    nc: NatsConnection,
    name: string,
    labels: Record<string, string> = {},
    keys: readonly string[] = [],
  ) {
    this.#nc = nc;
    this.name = name;
    this.report = report(name, labels, keys);
    nc.subscribe(statusRequestSubject(name), {
      callback: () => {
        this.statusRequests++;
        this.status();
      },
    });
  }

  status(): void {
    const data = HostStatus.encode(reportToWire(this.report)).finish();
    this.#nc.publish(statusSubject(this.name), data);
  }

  heartbeat(intervalMs = 60_000): void {
    const data = Heartbeat.encode({
      host: this.name,
      digest: observationDigest(this.report.keys),
      sentAt: new Date(),
      intervalMs,
      incarnation: this.report.incarnation,
    }).finish();
    this.#nc.publish(heartbeatSubject(this.name), data);
  }

  ack(key: string, generation: bigint, value: boolean, more: Partial<KeyObservation> = {}): void {
    const made = observation(key, { generation, value, publishedAt: new Date(), ...more });
    const keys = this.report.keys.map((known) => (known.key === key ? made : known));
    this.report = { ...this.report, keys };
    const data = Ack.encode({ host: this.name, observation: observationToWire(made) }).finish();
    this.#nc.publish(ackSubject(this.name), data);
  }
}

export function report(
  host: string,
  labels: Record<string, string> = {},
  keys: readonly string[] = [],
): HostReport {
  return {
    host,
    labels,
    agentVersion: '0.0.0',
    engine: 'fake',
    kernelRelease: '6.18.0',
    incarnation: randomUUID(),
    keys: keys.map((key) => observation(key)),
    programs: [],
  };
}

export function observation(key: string, more: Partial<KeyObservation> = {}): KeyObservation {
  return {
    key,
    generation: 0n,
    value: false,
    outcome: 'applied',
    tier: 'dynamic',
    pokeNs: 300n,
    applyNs: 90_000n,
    appliedAt: new Date('2026-01-01T00:00:00Z'),
    ...more,
  };
}

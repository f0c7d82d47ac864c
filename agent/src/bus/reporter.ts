import type { NatsConnection } from 'nats';
import type { Clock } from '#common/clock.ts';
import { type HostReport, type KeyObservation, observationDigest } from '#common/observed.ts';
import { observationToWire, reportToWire } from '#common/observed-wire.ts';
import { Ack, Heartbeat, HostStatus } from '#proto/gen/skein/v1/observed.ts';
import {
  ackSubject,
  heartbeatSubject,
  statusRequestSubject,
  statusSubject,
} from '#proto/subjects.ts';
import { periodically, type Random } from '../periodic.ts';

/** Changes that follow each other this closely go out as one status. */
const STATUS_DELAY_MS = 1_000;

export interface ReporterPorts {
  readonly report: () => HostReport;
  readonly clock: Clock;
  readonly random: Random;
  readonly heartbeatMs: number;
}

/** Tells the control plane what was read back on this host: acks, status, heartbeats. */
export class Reporter {
  readonly #ports: ReporterPorts;
  #connection: NatsConnection | undefined;
  #stopHeartbeat: (() => void) | undefined;
  #cancelStatus: (() => void) | undefined;

  constructor(ports: ReporterPorts) {
    this.#ports = ports;
  }

  /** From now on reports go over this connection. */
  open(connection: NatsConnection): void {
    this.#connection = connection;
    connection.subscribe(statusRequestSubject(this.#host), {
      callback: (error) => {
        if (!error) this.#sendStatus();
      },
    });
    const { clock, random, heartbeatMs } = this.#ports;
    this.#stopHeartbeat = periodically(clock, random, heartbeatMs, () => this.#sendHeartbeat());
    this.announce();
  }

  close(): void {
    this.#connection = undefined;
    this.#stopHeartbeat?.();
    this.#cancelStatus?.();
    this.#cancelStatus = undefined;
  }

  /** Says all there is to say: at the start, and when the connection is back. */
  announce(): void {
    this.#sendStatus();
    this.#sendHeartbeat();
  }

  ack(observation: KeyObservation): void {
    const message = { host: this.#host, observation: observationToWire(observation) };
    this.#publish(ackSubject(this.#host), Ack.encode(message).finish());
  }

  /** Something in the report changed: a status follows shortly. */
  changed(): void {
    this.#cancelStatus ??= this.#ports.clock.after(STATUS_DELAY_MS, () => {
      this.#cancelStatus = undefined;
      this.#sendStatus();
    });
  }

  get #host(): string {
    return this.#ports.report().host;
  }

  #sendStatus(): void {
    const report = this.#ports.report();
    this.#publish(statusSubject(report.host), HostStatus.encode(reportToWire(report)).finish());
  }

  #sendHeartbeat(): void {
    const { host, incarnation, keys } = this.#ports.report();
    const heartbeat = {
      host,
      incarnation,
      digest: observationDigest(keys),
      sentAt: this.#ports.clock.now(),
      intervalMs: this.#ports.heartbeatMs,
    };
    this.#publish(heartbeatSubject(host), Heartbeat.encode(heartbeat).finish());
  }

  /** Without a connection nothing is said: the next announcement says it all. */
  #publish(subject: string, data: Uint8Array): void {
    if (this.#connection && !this.#connection.isClosed()) this.#connection.publish(subject, data);
  }
}

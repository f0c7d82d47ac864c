import type { NatsConnection } from 'nats';
import type { Clock } from '#common/clock.ts';
import type { Logger } from '#common/log.ts';
import type { Verifier } from '#common/nkey.ts';
import type { KeyObservation } from '#common/observed.ts';
import type { AgentBus, BusHost } from '../agent-bus.ts';
import type { Random } from '../periodic.ts';
import { DesiredClient } from './desired-client.ts';
import { type BusSession, NatsLink } from './nats-link.ts';
import { RejectionLog } from './rejection-log.ts';
import { Reporter } from './reporter.ts';
import { respondWithSites } from './sites-responder.ts';

export interface NatsBusPorts {
  /** Resolves with a new connection, or rejects when the server cannot be reached now. */
  readonly connect: () => Promise<NatsConnection>;
  readonly trusted: readonly Verifier[];
  readonly heartbeatMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Desired state in, reports out, over one NATS connection at a time. */
export class NatsBus implements AgentBus {
  readonly #ports: NatsBusPorts;
  readonly #host: BusHost;
  readonly #link: NatsLink;
  readonly #reporter: Reporter;
  readonly #rejections: RejectionLog;
  #client: DesiredClient | undefined;

  constructor(ports: NatsBusPorts, host: BusHost) {
    this.#ports = ports;
    this.#host = host;
    this.#rejections = new RejectionLog(ports.clock, ports.logger);
    this.#reporter = new Reporter({ ...ports, report: host.report });
    this.#link = new NatsLink({
      ...ports,
      onConnected: host.onConnected,
      open: (connection) => this.#open(connection),
    });
  }

  start(): void {
    this.#link.start();
  }

  async reread(): Promise<void> {
    if (this.#link.connected) await this.#client?.reread();
  }

  ack(observation: KeyObservation): void {
    this.#reporter.ack(observation);
  }

  changed(): void {
    this.#reporter.changed();
  }

  stop(): Promise<void> {
    return this.#link.stop();
  }

  #open(connection: NatsConnection): BusSession {
    const client = new DesiredClient(connection, {
      ...this.#ports,
      ...this.#host,
      onRejected: (rejection, key, why) => {
        this.#host.onRejected(rejection);
        this.#rejections.add(rejection, key, why);
      },
      onBucketBehind: (key, why) => {
        this.#host.onRejected('stale');
        this.#ports.logger.warn({ rejection: 'stale', key }, why.line);
      },
    });
    this.#client = client;
    this.#reporter.open(connection);
    respondWithSites(connection, this.#host, this.#ports.logger);
    return {
      started: client.start(),
      reconnected: () => {
        client.reconnected();
        this.#reporter.announce();
      },
      end: () => {
        client.stop();
        this.#client = undefined;
        this.#reporter.close();
      },
    };
  }
}

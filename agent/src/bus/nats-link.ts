import type { NatsConnection } from 'nats';
import type { Clock } from '#common/clock.ts';
import { toSkeinError } from '#common/errors.ts';
import type { Logger } from '#common/log.ts';
import { backoffMs } from '../backoff.ts';
import type { Random } from '../periodic.ts';

/** What runs over one connection. */
export interface BusSession {
  /** Rejects when the connection turns out to be of no use. */
  readonly started: Promise<void>;
  /** The same connection was lost and is back. */
  reconnected(): void;
  end(): void;
}

export interface NatsLinkPorts {
  readonly connect: () => Promise<NatsConnection>;
  readonly open: (connection: NatsConnection) => BusSession;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly onConnected: (connected: boolean) => void;
}

/**
 * Keeps a connection to NATS for as long as the agent lives. Its loss changes no branch, so it is one
 * warning and patience.
 */
export class NatsLink {
  readonly #ports: NatsLinkPorts;
  readonly #stopping = new AbortController();
  #connection: NatsConnection | undefined;
  #connected = false;
  #loop: Promise<void> | undefined;

  constructor(ports: NatsLinkPorts) {
    this.#ports = ports;
  }

  get connected(): boolean {
    return this.#connected;
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /** Sends what is still to be sent, then closes. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    // A flush while the server is away would wait for it.
    if (this.#connected) await this.#connection?.flush().catch(() => {});
    await this.#connection?.close();
    await this.#loop;
  }

  async #run(): Promise<void> {
    let failures = 0;
    while (!this.#stopping.signal.aborted) {
      try {
        const connection = await this.#ports.connect();
        this.#connection = connection;
        if (this.#stopping.signal.aborted) await connection.close();
        else await this.#use(connection, () => (failures = 0));
      } catch (thrown) {
        const { line } = toSkeinError(thrown, 'SKEIN_NATS_UNAVAILABLE');
        const known = failures > 0;
        const note = 'branches stay as they are; trying again until it answers';
        this.#ports.logger[known ? 'debug' : 'warn']({ note }, line);
      }
      failures++;
      await this.#pause(backoffMs(failures, this.#ports.random));
    }
  }

  async #use(connection: NatsConnection, onOpen: () => void): Promise<void> {
    const { logger, open } = this.#ports;
    this.#setConnected(true);
    logger.info({ server: connection.getServer() }, 'connected to NATS');
    const session = open(connection);
    try {
      // Status is followed from the start: the connection may be lost while its session starts. It is not
      // waited for: nats.js leaves the iterator open when the connection closes.
      void this.#follow(connection, session);
      await session.started;
      onOpen();
      const error = await connection.closed();
      if (error) throw error;
    } finally {
      session.end();
      this.#setConnected(false);
      await connection.close();
    }
  }

  async #follow(connection: NatsConnection, session: BusSession): Promise<void> {
    const { logger } = this.#ports;
    for await (const status of connection.status()) {
      if (status.type === 'disconnect') {
        this.#setConnected(false);
        logger.warn('NATS is away; branches stay as they are');
      } else if (status.type === 'reconnect') {
        this.#setConnected(true);
        logger.info({ server: String(status.data) }, 'reconnected to NATS');
        session.reconnected();
      }
    }
  }

  #setConnected(connected: boolean): void {
    this.#connected = connected;
    this.#ports.onConnected(connected);
  }

  #pause(ms: number): Promise<void> {
    const { signal } = this.#stopping;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#ports.clock.after(ms, resolve);
      signal.addEventListener('abort', () => {
        cancel();
        resolve();
      });
    });
  }
}

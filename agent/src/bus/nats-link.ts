import type { NatsConnection, Status } from 'nats';
import type { Clock } from '#common/clock.ts';
import { SkeinError, toSkeinError } from '#common/errors.ts';
import type { Logger } from '#common/log.ts';
import { natsError } from '#common/nats.ts';
import { backoffMs } from '../backoff.ts';
import type { Random } from '../periodic.ts';
import { within } from '../within.ts';

/** For the server to take what is still to be sent: one that is stopped must not hold up the agent's end. */
const FLUSH_MS = 2_000;
/** Refusals told of one connection: who asks for sites chooses the subject of the answer. */
const MOST_REFUSALS = 16;

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
    const connection = this.#connection;
    if (connection && this.#connected) {
      const flushed = connection.flush().catch(() => {});
      await within(this.#ports.clock, FLUSH_MS, flushed);
    }
    await connection?.close();
    await this.#loop;
  }

  async #run(): Promise<void> {
    let failures = 0;
    let told: string | undefined;
    while (!this.#stopping.signal.aborted) {
      try {
        const connection = await this.#ports.connect();
        this.#connection = connection;
        if (this.#stopping.signal.aborted) await connection.close();
        else
          await this.#use(connection, () => {
            failures = 0;
            told = undefined;
          });
      } catch (thrown) {
        const { line } = toSkeinError(thrown, 'SKEIN_NATS_UNAVAILABLE');
        const note = 'branches stay as they are; trying again until it answers';
        this.#ports.logger[line === told ? 'debug' : 'warn']({ note }, line);
        told = line;
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
      if (error) throw natsError('connection closed', error);
    } finally {
      session.end();
      this.#setConnected(false);
      await connection.close();
    }
  }

  async #follow(connection: NatsConnection, session: BusSession): Promise<void> {
    const { logger } = this.#ports;
    const refusals = new Set<string>();
    for await (const status of connection.status()) {
      if (status.type === 'disconnect') {
        this.#setConnected(false);
        logger.warn('NATS is away; branches stay as they are');
      } else if (status.type === 'reconnect') {
        this.#setConnected(true);
        logger.info({ server: String(status.data) }, 'reconnected to NATS');
        refusals.clear();
        session.reconnected();
      } else if (status.type === 'error') {
        const line = whatServerSays(status);
        if (refusals.has(line) || refusals.size === MOST_REFUSALS) continue;
        refusals.add(line);
        logger.warn(line);
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

/** Of a subject that it refuses: the connection stays. Or of the connection, which it is about to end. */
function whatServerSays({ data, permissionContext }: Status): string {
  if (permissionContext === undefined) return `NATS reports ${String(data)}`;
  const { operation, subject } = permissionContext;
  const refused = `NATS refuses the ${operation} to ${subject}`;
  return new SkeinError('SKEIN_NATS_UNAVAILABLE', refused, {
    remedy: 'Give the agent the permissions that deploy/nats/nats-server.conf has for a host.',
  }).line;
}

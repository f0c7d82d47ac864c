import { ErrorCode, type Msg, type NatsConnection, NatsError } from 'nats';
import type { Clock } from '#common/clock.ts';
import { SkeinError } from '#common/errors.ts';
import type { Logger } from '#common/log.ts';
import type { Verifier } from '#common/nkey.ts';
import { DESIRED_PREFIX, KEYS_BUCKET } from '#proto/subjects.ts';
import type { BusHost, Rejection } from '../agent-bus.ts';
import type { Random } from '../periodic.ts';
import { type OpenedMessage, openMessage, positionOf } from './desired-message.ts';
import { GapDetector } from './gap-detector.ts';
import { RereadScheduler } from './reread-scheduler.ts';

/** Nobody answers for a bucket that does not exist, so this is also how soon its absence is noticed. */
const READ_TIMEOUT_MS = 2_000;
const DIRECT_GET = `$JS.API.DIRECT.GET.KV_${KEYS_BUCKET}.$KV.${KEYS_BUCKET}`;

export interface DesiredClientPorts extends Pick<BusHost, 'keys' | 'desired' | 'onChange'> {
  readonly trusted: readonly Verifier[];
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly onRejected: (rejection: Rejection, key: string, why: string) => void;
  /** The bucket itself is older than what this host knows. Once per key, until it has caught up. */
  readonly onBucketBehind: (key: string, why: SkeinError) => void;
}

/**
 * Receives desired state over one connection: subscribes to the bucket's republish subject, then reads the
 * snapshot, so that nothing falls between the two. Only the signed generation orders what comes.
 */
export class DesiredClient {
  readonly #connection: NatsConnection;
  readonly #ports: DesiredClientPorts;
  readonly #keys: ReadonlySet<string>;
  readonly #gaps: GapDetector;
  readonly #reread: RereadScheduler;
  /** Keys of which the bucket is behind, told already. */
  readonly #behind = new Set<string>();
  /** Why the snapshot could not be read, told already. */
  #unread: string | undefined;

  constructor(connection: NatsConnection, ports: DesiredClientPorts) {
    this.#connection = connection;
    this.#ports = ports;
    this.#keys = new Set(ports.keys);
    this.#gaps = new GapDetector((subject) => this.#keys.has(keyOf(subject)));
    this.#reread = new RereadScheduler({
      ...ports,
      read: () => this.#readSnapshot(),
      onFailure: (thrown) => this.#tellUnread(snapshotFailure(thrown)),
    });
  }

  /** Resolves once the snapshot was read, or failed and will be read again later. */
  async start(): Promise<void> {
    this.#connection.subscribe(`${DESIRED_PREFIX}.>`, {
      callback: (error, message) => {
        if (!error) this.#receive(message);
      },
    });
    await this.#connection.flush();
    await this.#reread.now();
  }

  /** Reads the snapshot, as a periodic reconcile does. */
  reread(): Promise<void> {
    return this.#reread.now();
  }

  /** The connection was lost and is back: messages may be missing. */
  reconnected(): void {
    this.#gaps.reset();
    this.#reread.soon();
  }

  stop(): void {
    this.#reread.stop();
  }

  #receive(message: Msg): void {
    const receivedNs = this.#ports.clock.monotonicNs();
    const position = positionOf(message.subject, message.headers);
    if (position && this.#gaps.observe(position)) this.#reread.soon();
    const key = keyOf(message.subject);
    if (!this.#keys.has(key)) return;
    const opened = openMessage(key, message.data, message.headers, this.#ports.trusted);
    const outcome = this.#take(key, opened, receivedNs);
    if (outcome === 'stale') {
      this.#ports.onRejected(
        'stale',
        key,
        `${key}: not newer than what is known, and not the same`,
      );
    }
  }

  async #readSnapshot(): Promise<void> {
    await Promise.all(this.#ports.keys.map((key) => this.#readKey(key)));
    this.#unread = undefined;
  }

  #tellUnread({ line }: SkeinError): void {
    this.#ports.logger[line === this.#unread ? 'debug' : 'warn'](line);
    this.#unread = line;
  }

  async #readKey(key: string): Promise<void> {
    const { desired, onChange, trusted } = this.#ports;
    const known = this.#generation(key);
    const entry = await this.#readEntry(key);
    const receivedNs = this.#ports.clock.monotonicNs();
    if (!entry) {
      if (desired.confirm(key)) onChange(key);
      return;
    }
    const opened = openMessage(key, entry.data, entry.headers, trusted);
    const stale = this.#take(key, opened, receivedNs) === 'stale';
    if (stale && desired.confirm(key)) onChange(key);
    if (opened.kind === 'state') this.#compare(key, opened.signed.state.generation, known, stale);
  }

  /**
   * A read may lag behind what was republished meanwhile, which is no offence: only what was known before it
   * was sent counts.
   */
  #compare(key: string, held: bigint, known: bigint, stale: boolean): void {
    if (!stale || held > known) {
      this.#behind.delete(key);
    } else if (!this.#behind.has(key)) {
      this.#behind.add(key);
      this.#ports.onBucketBehind(key, bucketBehind(key, held, known));
    }
  }

  #generation(key: string): bigint {
    const knowledge = this.#ports.desired.knowledge(key);
    return knowledge.kind === 'state' ? knowledge.state.generation : 0n;
  }

  #take(key: string, opened: OpenedMessage, receivedNs: bigint): 'stale' | undefined {
    if (opened.kind === 'rejected') {
      this.#ports.onRejected(opened.rejection, key, opened.why);
      return undefined;
    }
    switch (this.#ports.desired.receive(opened.signed)) {
      case 'newer':
        this.#ports.onChange(key, receivedNs);
        return undefined;
      case 'confirmed':
        this.#ports.onChange(key);
        return undefined;
      case 'same':
        return undefined;
      case 'stale':
        return 'stale';
    }
  }

  /** A direct get: one request, no consumer, no stream information. ADR-31 of nats-architecture-and-design. */
  async #readEntry(key: string): Promise<Msg | undefined> {
    const reply = await this.#connection.request(`${DIRECT_GET}.${key}`, undefined, {
      timeout: READ_TIMEOUT_MS,
    });
    const status = reply.headers?.code ?? 0;
    if (status === 404) return undefined;
    if (status >= 300) throw new Error(`status ${status} ${reply.headers?.description ?? ''}`);
    return reply;
  }
}

function keyOf(subject: string): string {
  return subject.slice(DESIRED_PREFIX.length + 1);
}

function bucketBehind(key: string, held: bigint, known: bigint): SkeinError {
  const found =
    held === known
      ? `another generation ${held} than this host has seen`
      : `generation ${held}, older than the ${known} that this host has seen`;
  const message = `${key}: the keys bucket holds ${found}`;
  return new SkeinError('SKEIN_STALE_GENERATION', message, {
    remedy:
      'The host keeps what it has. If the bucket was lost, restore its backup, or restart the agent without ' +
      'last-known-good.json of its stateDir; if not, look for who wrote an old message into it.',
  });
}

function snapshotFailure(thrown: unknown): SkeinError {
  const code = thrown instanceof NatsError ? thrown.code : undefined;
  const silent = code === ErrorCode.Timeout || code === ErrorCode.NoResponders;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const why = silent ? `nobody answers for the bucket ${KEYS_BUCKET}` : message;
  return new SkeinError('SKEIN_NATS_UNAVAILABLE', `cannot read desired state: ${why}`, {
    cause: thrown,
    remedy: 'The agent goes on with what it knows and tries again; see that a controller ran.',
  });
}

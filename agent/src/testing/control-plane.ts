import { connect, type KV, type Msg, type NatsConnection } from 'nats';
import type { DesiredState } from '#common/desired.ts';
import { sealDesired } from '#common/envelope.ts';
import type { KeyObservation } from '#common/observed.ts';
import { observationFromWire, reportFromWire } from '#common/observed-wire.ts';
import { Ack, Heartbeat, HostStatus } from '#proto/gen/skein/v1/observed.ts';
import {
  ackSubject,
  DESIRED_PREFIX,
  heartbeatSubject,
  KEYS_BUCKET,
  statusSubject,
} from '#proto/subjects.ts';
import { controller, target } from './fixtures.ts';

/** The controller's side of the bus: writes desired state, remembers what the host says. */
export class ControlPlane {
  readonly connection: NatsConnection;
  readonly kv: KV;
  readonly acks: KeyObservation[] = [];
  readonly reports: ReturnType<typeof reportFromWire>[] = [];
  readonly heartbeats: Heartbeat[] = [];

  /** @param republished the part of the bucket that is republished; less than all loses messages */
  static async connect(url: string, republished = '>'): Promise<ControlPlane> {
    const connection = await connect({
      servers: url,
      reconnectTimeWait: 50,
      maxReconnectAttempts: -1,
    });
    const kv = await connection.jetstream({ timeout: 1_000 }).views.kv(KEYS_BUCKET, {
      history: 64,
      allow_direct: true,
      republish: {
        src: `$KV.${KEYS_BUCKET}.${republished}`,
        dest: `${DESIRED_PREFIX}.${republished}`,
      },
    });
    return new ControlPlane(connection, kv);
  }

  private constructor(connection: NatsConnection, kv: KV) {
    this.connection = connection;
    this.kv = kv;
    this.#collect(ackSubject(target.host), ({ data }) => {
      const { observation } = Ack.decode(data);
      if (observation) this.acks.push(observationFromWire(observation));
    });
    this.#collect(statusSubject(target.host), ({ data }) =>
      this.reports.push(reportFromWire(HostStatus.decode(data))),
    );
    this.#collect(heartbeatSubject(target.host), ({ data }) =>
      this.heartbeats.push(Heartbeat.decode(data)),
    );
  }

  async put(state: DesiredState): Promise<void> {
    await this.kv.put(state.name, sealDesired(state, controller));
  }

  /** Anyone may publish on a core subject. */
  forge(key: string, data: Uint8Array): void {
    this.connection.publish(`${DESIRED_PREFIX}.${key}`, data);
  }

  close(): Promise<void> {
    return this.connection.close();
  }

  #collect(subject: string, take: (message: Msg) => void): void {
    this.connection.subscribe(subject, { callback: (error, message) => error ?? take(message) });
  }
}

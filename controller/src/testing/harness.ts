import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChannelCredentials, type Client, Metadata, type ServiceError } from '@grpc/grpc-js';
import { connect, type NatsConnection } from 'nats';
import { systemClock } from '#common/clock.ts';
import { errorFromGrpc } from '#common/grpc-error.ts';
import { createLogger } from '#common/log.ts';
import { generateSeed, type Signer, signerFromSeed } from '#common/nkey.ts';
import { AuditServiceClient, type ListAuditResponse } from '#proto/gen/skein/v1/audit.ts';
import {
  FleetServiceClient,
  type Host,
  type ListHostsResponse,
  type ListSitesRequest,
  type ListSitesResponse,
} from '#proto/gen/skein/v1/fleet.ts';
import {
  type CreateKeyRequest,
  type DeleteKeyRequest,
  type Key,
  type KeyHistoryResponse,
  KeyServiceClient,
  type ListKeysResponse,
  type SetKeyRequest,
} from '#proto/gen/skein/v1/keys.ts';
import { type NatsServer, startNatsServer } from '../../../test/support/nats-server.ts';
import { readControllerConfig } from '../config.ts';
import { type Controller, startController } from '../main.ts';

export const TOKEN = 'token-of-alice';

/** A nats-server, a signing key, and as many controllers and clients as a test wants; all gone after it. */
export class Harness implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'skein-controller-'));
  readonly signer: Signer;
  readonly nats: NatsServer;
  readonly nc: NatsConnection;
  readonly #ends: (() => Promise<void> | void)[] = [];

  private constructor(nats: NatsServer, nc: NatsConnection) {
    this.nats = nats;
    this.nc = nc;
    const seed = generateSeed();
    this.signer = signerFromSeed(seed);
    writeFileSync(join(this.directory, 'seed'), `${seed}\n`);
  }

  static async start(): Promise<Harness> {
    const nats = await startNatsServer();
    const options = { servers: nats.url, maxReconnectAttempts: -1, reconnectTimeWait: 50 };
    return new Harness(nats, await connect(options));
  }

  /** A configuration file; `lines` are top-level YAML in place of the default of the same field. */
  configFile(lines: Record<string, string> = {}): string {
    const fields = {
      listen: '127.0.0.1:0',
      principals: `[{ name: alice, tokenSha256: ${sha256(TOKEN)} }]`,
      signing: '{ seedFile: seed }',
      nats: `{ servers: ["${this.nats.url}"] }`,
      metrics: '{ listen: "127.0.0.1:0" }',
      log: '{ level: silent }',
      ...lines,
    };
    const path = join(this.directory, 'controller.yaml');
    const text = Object.entries(fields).map(([name, value]) => `${name}: ${value}\n`);
    writeFileSync(path, text.join(''));
    return path;
  }

  async controller(lines: Record<string, string> = {}): Promise<Controller> {
    const config = readControllerConfig(this.configFile(lines));
    const logger = createLogger('test', config.log.level);
    const controller = await startController(config, logger, systemClock);
    let stopped: Promise<void> | undefined;
    const stop = () => {
      stopped ??= controller.stop();
      return stopped;
    };
    this.#ends.push(stop);
    return { ...controller, stop };
  }

  client(controller: Controller, token: string | null = TOKEN): TestClient {
    const client = new TestClient(controller.address, token);
    this.#ends.push(() => client.close());
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.#ends.reverse()) await end();
    await this.nc.close();
    await this.nats.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Generated clients with a token, promises, and errors as SkeinErrors. */
export class TestClient {
  readonly keys: KeyServiceClient;
  readonly fleet: FleetServiceClient;
  readonly audit: AuditServiceClient;
  readonly metadata = new Metadata();
  readonly #address: string;

  constructor(address: string, token: string | null) {
    const credentials = ChannelCredentials.createInsecure();
    this.#address = address;
    this.keys = new KeyServiceClient(address, credentials);
    this.fleet = new FleetServiceClient(address, credentials);
    this.audit = new AuditServiceClient(address, credentials);
    if (token !== null) this.metadata.set('authorization', `Bearer ${token}`);
  }

  create(name: string, more: Partial<CreateKeyRequest> = {}) {
    return this.#call<Key>((...rest) => this.keys.create({ ...CREATE, name, ...more }, ...rest));
  }

  set(name: string, value: boolean, more: Partial<SetKeyRequest> = {}) {
    return this.#call<Key>((...rest) => this.keys.set({ ...SET, name, value, ...more }, ...rest));
  }

  delete(name: string, more: Partial<DeleteKeyRequest> = {}) {
    return this.#call<Key>((...rest) => this.keys.delete({ ...DELETE, name, ...more }, ...rest));
  }

  get(name: string) {
    return this.#call<Key>((...rest) => this.keys.get({ name }, ...rest));
  }

  async list(includeDeleted = false) {
    return (
      await this.#call<ListKeysResponse>((...rest) => this.keys.list({ includeDeleted }, ...rest))
    ).keys;
  }

  async history(name: string, limit = 0) {
    return (
      await this.#call<KeyHistoryResponse>((...rest) => this.keys.history({ name, limit }, ...rest))
    ).generations;
  }

  async hosts(selector = '') {
    return (
      await this.#call<ListHostsResponse>((...rest) => this.fleet.listHosts({ selector }, ...rest))
    ).hosts;
  }

  host(name: string) {
    return this.#call<Host>((...rest) => this.fleet.getHost({ name }, ...rest));
  }

  sites(host: string, more: Partial<ListSitesRequest> = {}) {
    const request = { host, unit: '', program: '', key: '', offset: 0, ...more };
    return this.#call<ListSitesResponse>((...rest) => this.fleet.listSites(request, ...rest));
  }

  async auditList(more: { key?: string; since?: Date; limit?: number } = {}) {
    const request = { key: '', since: undefined, limit: 0, ...more };
    return (await this.#call<ListAuditResponse>((...rest) => this.audit.list(request, ...rest)))
      .records;
  }

  close(): void {
    const clients: Client[] = [this.keys, this.fleet, this.audit];
    for (const client of clients) client.close();
  }

  #call<Response>(
    start: (
      metadata: Metadata,
      callback: (error: ServiceError | null, response: Response) => void,
    ) => unknown,
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      start(this.metadata, (error, response) => {
        if (error) reject(errorFromGrpc(error, this.#address));
        else resolve(response);
      });
    });
  }
}

const DELETE = { etag: '', reason: '', requestId: '', validateOnly: false };
const SET = { ...DELETE, selector: '', percent: undefined };
const CREATE = {
  description: '',
  defaultValue: false,
  reason: '',
  requestId: '',
  validateOnly: false,
};

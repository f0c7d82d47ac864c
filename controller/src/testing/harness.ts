import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Metadata } from '@grpc/grpc-js';
import { connect, type NatsConnection } from 'nats';
import { type Clock, systemClock } from '#common/clock.ts';
import { createLogger } from '#common/log.ts';
import { generateSeed, type Signer, signerFromSeed } from '#common/nkey.ts';
import { type NatsServer, startNatsServer } from '../../../test/support/nats-server.ts';
import { until } from '../../../test/support/until.ts';
import { readControllerConfig } from '../config.ts';
import { type Controller, startController } from '../main.ts';
import { FollowingHost, type FollowingHostOptions } from './following-host.ts';
import { RolloutClient } from './rollout-client.ts';
import { TestClient } from './test-client.ts';

export const TOKEN = 'token-of-alice';
export const TOKEN_OF_BOB = 'token-of-bob';

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
      principals: `[${principal('alice', TOKEN)}, ${principal('bob', TOKEN_OF_BOB)}]`,
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

  async controller(
    lines: Record<string, string> = {},
    clock: Clock = systemClock,
  ): Promise<Controller> {
    const config = readControllerConfig(this.configFile(lines));
    const logger = createLogger('test', config.log.level);
    const controller = await startController(config, logger, clock);
    let stopped: Promise<void> | undefined;
    const stop = () => {
      stopped ??= controller.stop();
      return stopped;
    };
    this.#ends.push(stop);
    return { ...controller, stop };
  }

  client(controller: Pick<Controller, 'address'>, token: string | null = TOKEN): TestClient {
    const client = new TestClient(controller.address, token);
    this.#ends.push(() => client.close());
    return client;
  }

  rollouts(controller: Pick<Controller, 'address'>, token: string = TOKEN): RolloutClient {
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${token}`);
    const client = new RolloutClient(controller.address, metadata);
    this.#ends.push(() => client.close());
    return client;
  }

  /** Polls until the controller holds the lease. */
  untilDrives(controller: Pick<Controller, 'metricsUrl'>, meanwhile = () => {}): Promise<true> {
    return until('it holds the lease', () => {
      meanwhile();
      return holdsLease(controller);
    });
  }

  /** Hosts web-0, web-1, ... that follow a key. */
  async hosts(
    count: number,
    key: string,
    options?: FollowingHostOptions,
  ): Promise<FollowingHost[]> {
    const hosts = Array.from({ length: count }, (_, index) =>
      this.host(`web-${index}`, key, options),
    );
    await Promise.all(hosts.map((host) => host.join()));
    return hosts;
  }

  /** One that has not joined yet. */
  host(name: string, key: string, options?: FollowingHostOptions): FollowingHost {
    const host = new FollowingHost(this.nc, this.signer, name, key, options);
    this.#ends.push(() => host[Symbol.dispose]());
    return host;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.#ends.reverse()) await end();
    await this.nc.close();
    await this.nats.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export async function holdsLease({ metricsUrl }: Pick<Controller, 'metricsUrl'>) {
  const text = await (await fetch(`${metricsUrl}/metrics`)).text();
  return text.includes('skein_controller_lease_held 1\n');
}

function principal(name: string, token: string): string {
  return `{ name: ${name}, tokenSha256: ${sha256(token)} }`;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

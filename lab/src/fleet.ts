import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { generateSeed, signerFromSeed } from '#common/nkey.ts';
import { ManagedProcess } from './managed-process.ts';
import { natsConf } from './nats-conf.ts';
import { randomToken, secretFile, sha256Hex } from './secrets.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface AgentOptions {
  readonly host: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The `programs:` section of its configuration. */
  readonly programs: readonly object[];
}

export interface FleetOptions {
  /** Where keys, passwords, logs and NATS data are; survives from run to run. */
  readonly directory: string;
  /** Of the controller's gRPC server; port 0 takes a free one. */
  readonly listen: string;
  /** Whose token the CLI gets. */
  readonly principal: string;
  /** In bpffs; one directory per agent below it. */
  readonly pinRoot: string;
  readonly agents: readonly AgentOptions[];
  /** More than the defaults suit a demonstration. */
  readonly intervals?: { readonly heartbeatSeconds: number; readonly reconcileSeconds: number };
}

/** A whole Skein on one machine: nats-server, controller and agents, each a real process with a real config. */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #agents = new Map<string, ManagedProcess>();
  #nats: ManagedProcess | undefined;
  #natsPort = -1;
  #controller: ManagedProcess | undefined;

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  /** Starts everything. After a failure stop() ends what did start. */
  async start(): Promise<void> {
    for (const part of ['log', 'nats', 'secret']) {
      mkdirSync(this.#path(part), { recursive: true, mode: 0o700 });
    }
    await this.startNats();
    await this.startController();
    // All of them settle before one's failure is told: stop() must find every process that started.
    const agents = this.#options.agents.map(({ host }) => this.startAgent(host));
    await Promise.allSettled(agents);
    await Promise.all(agents);
  }

  /** Agents first: they detach what they attached, and need nobody else for that. */
  async stop(): Promise<void> {
    await Promise.all([...this.#agents.values()].map((agent) => agent.stop()));
    await this.#controller?.stop();
    await this.#nats?.stop();
    // Directories that the helper made; also pins, should an agent have been killed before it could detach.
    rmSync(this.#options.pinRoot, { recursive: true, force: true });
  }

  /** Again on the same port after the first time, as a restarted server is. */
  async startNats(): Promise<void> {
    const users = {
      controller: { user: 'controller', password: this.natsPassword('controller') },
      agents: this.#options.agents.map(({ host }) => ({
        user: host,
        password: this.natsPassword(host),
        host,
      })),
    };
    const conf = this.#path('nats/nats.conf');
    writeFileSync(conf, natsConf(this.#path('nats'), users), { mode: 0o600 });
    const address = ['-a', '127.0.0.1', '-p', String(this.#natsPort)];
    this.#nats = await this.#launch(
      'nats-server',
      ['nats-server', '-c', conf, ...address, '--ports_file_dir', this.#path('nats')],
      (line) => (line.includes('Server is ready') ? {} : undefined),
    );
    this.#natsPort = await natsPort(this.#path('nats'), this.#nats.pid);
  }

  async startController(): Promise<void> {
    const token = secretFile(this.#path('secret/token'));
    const file = this.#writeConfig('controller', {
      listen: this.#options.listen,
      principals: [{ name: this.#options.principal, tokenSha256: sha256Hex(token) }],
      signing: { seedFile: this.#seedFile() },
      nats: this.#natsSection('controller'),
      metrics: { listen: '127.0.0.1:0' },
    });
    this.#controller = await this.#launchNode('controller', file, []);
    this.#writeConfig('cli', {
      server: this.server,
      tokenFile: this.#path('secret/token'),
    });
  }

  async startAgent(host: string): Promise<void> {
    const agent = this.#options.agents.find((each) => each.host === host);
    if (!agent) throw new Error(`no agent for host ${host}`);
    const seed = secretFile(this.#seedFile(), generateSeed);
    const { intervals } = this.#options;
    const file = this.#writeConfig(`agent-${host}`, {
      host,
      labels: agent.labels,
      nats: this.#natsSection(host),
      controller: { publicKeys: [signerFromSeed(seed).publicKey] },
      stateDir: this.#path(`agent-${host}`),
      bpffs: join(this.#options.pinRoot, host),
      metrics: { listen: '127.0.0.1:0' },
      programs: agent.programs,
      ...(intervals && {
        heartbeat: { intervalSeconds: intervals.heartbeatSeconds },
        reconcile: { intervalSeconds: intervals.reconcileSeconds },
      }),
    });
    const launched = await this.#launchNode('agent', file, ['--detach-on-exit'], `agent-${host}`);
    this.#agents.set(host, launched);
  }

  get nats(): ManagedProcess {
    return present(this.#nats, 'nats-server');
  }

  get controller(): ManagedProcess {
    return present(this.#controller, 'controller');
  }

  agent(host: string): ManagedProcess {
    return present(this.#agents.get(host), `agent of ${host}`);
  }

  get natsUrl(): string {
    return `nats://127.0.0.1:${this.#natsPort}`;
  }

  /** The controller's gRPC address. */
  get server(): string {
    return String(this.controller.announced.grpc);
  }

  get processes(): readonly ManagedProcess[] {
    return [this.nats, this.controller, ...this.#agents.values()];
  }

  /** The CLI's context file for this fleet. */
  get cliConfig(): string {
    return this.#path('cli.yaml');
  }

  get logDirectory(): string {
    return this.#path('log');
  }

  #path(relative: string): string {
    return join(this.#options.directory, relative);
  }

  #seedFile(): string {
    const path = this.#path('secret/signing.seed');
    secretFile(path, generateSeed);
    return path;
  }

  /** Of a user of the nats-server: "controller", or an agent's host. */
  natsPassword(user: string): string {
    return secretFile(this.#path(`secret/nats-${user}`), randomToken);
  }

  #natsSection(user: string) {
    this.natsPassword(user);
    return { servers: [this.natsUrl], user, passwordFile: this.#path(`secret/nats-${user}`) };
  }

  #writeConfig(name: string, content: object): string {
    const path = this.#path(`${name}.yaml`);
    writeFileSync(path, stringify(content));
    return path;
  }

  #launchNode(component: 'controller' | 'agent', config: string, flags: string[], name?: string) {
    const main = join(ROOT, component, 'src/main.ts');
    return this.#launch(
      name ?? component,
      [process.execPath, main, '--config', config, ...flags],
      readyLine,
    );
  }

  #launch(
    name: string,
    command: readonly [string, ...string[]],
    ready: (line: string) => Readonly<Record<string, unknown>> | undefined,
  ): Promise<ManagedProcess> {
    return ManagedProcess.start({ name, command, logFile: this.#path(`log/${name}.log`), ready });
  }
}

/** Both Node processes log one line with msg "ready" and their addresses. */
function readyLine(line: string): Readonly<Record<string, unknown>> | undefined {
  if (!line.includes('"msg":"ready"')) return undefined;
  return JSON.parse(line);
}

/** nats-server writes its ports file just after it said that it is ready. */
async function natsPort(directory: string, pid: number): Promise<number> {
  const name = `nats-server_${pid}.ports`;
  while (!readdirSync(directory).includes(name)) await delay(5);
  const match = /nats:\/\/[^"]+:(\d+)/.exec(readFileSync(join(directory, name), 'utf8'));
  return match ? Number(match[1]) : natsPort(directory, pid);
}

function present<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`${what} was not started`);
  return value;
}

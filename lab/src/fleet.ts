import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { agentConfig, controllerConfig, natsUsers, principalsOf } from './fleet-configs.ts';
import { FleetFiles } from './fleet-files.ts';
import type { FleetOptions } from './fleet-options.ts';
import { FleetSecrets } from './fleet-secrets.ts';
import { ManagedProcess } from './managed-process.ts';
import { startNats } from './nats-server.ts';
import { startPrometheus, writeTargets } from './prometheus.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A whole Skein on one machine: nats-server, controller, agents, each a real process with a real config. */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #files: FleetFiles;
  readonly #secrets: FleetSecrets;
  readonly #agents = new Map<string, ManagedProcess>();
  #nats: ManagedProcess | undefined;
  #natsPort = -1;
  #controller: ManagedProcess | undefined;
  #listen: string;
  #prometheus: ManagedProcess | undefined;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#files = new FleetFiles(options.directory);
    this.#secrets = new FleetSecrets(this.#files, options.principal);
    this.#listen = options.listen;
  }

  /** Starts everything. After a failure stop() ends what did start. */
  async start(): Promise<void> {
    this.#files.make();
    // It takes some seconds until its first scrape, and the controller is to know its address.
    if (this.#options.prometheus) this.#prometheus = await startPrometheus(this.#files);
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
    await Promise.all([this.#nats?.stop(), this.#prometheus?.stop()]);
    // Directories that the helper made; also pins, should an agent have been killed before it could detach.
    const { pinRoot } = this.#options;
    if (pinRoot !== undefined) rmSync(pinRoot, { recursive: true, force: true });
  }

  /** Again on the same port after the first time, as a restarted server is. */
  async startNats(): Promise<void> {
    const users = natsUsers(this.#options, this.#secrets);
    ({ process: this.#nats, port: this.#natsPort } = await startNats(
      this.#files,
      users,
      this.#natsPort,
    ));
  }

  /** Again at the same address after the first time. */
  async startController(): Promise<void> {
    const file = this.#files.writeConfig(
      'controller',
      controllerConfig(this.#options, this.#secrets, {
        natsUrl: this.natsUrl,
        listen: this.#listen,
        prometheusUrl: this.#prometheus && this.prometheusUrl,
      }),
    );
    this.#controller = await this.#launchNode('controller', file, []);
    this.#listen = this.server;
    for (const principal of principalsOf(this.#options)) {
      const { file: tokenFile } = this.#secrets.token(principal);
      this.#files.writeConfig(this.#context(principal), { server: this.server, tokenFile });
    }
  }

  async startAgent(host: string): Promise<void> {
    const agent = this.#options.agents.find((each) => each.host === host);
    if (!agent) throw new Error(`no agent for host ${host}`);
    const name = `agent-${host}`;
    const file = this.#files.writeConfig(
      name,
      agentConfig(agent, this.#options, this.#secrets, {
        natsUrl: this.natsUrl,
        stateDir: this.#files.path(name),
      }),
    );
    this.#agents.set(host, await this.#launchNode('agent', file, ['--detach-on-exit'], name));
    if (this.#prometheus) writeTargets(this.#files, this.#agents);
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

  get prometheusUrl(): string {
    return String(present(this.#prometheus, 'prometheus').announced.url);
  }

  /** The controller's gRPC address. */
  get server(): string {
    return String(this.controller.announced.grpc);
  }

  get processes(): readonly ManagedProcess[] {
    const optional = this.#prometheus ? [this.#prometheus] : [];
    return [this.nats, this.controller, ...this.#agents.values(), ...optional];
  }

  /** The CLI's context file for this fleet. */
  get cliConfig(): string {
    return this.cliConfigOf(this.#options.principal);
  }

  cliConfigOf(principal: string): string {
    return this.#files.path(`${this.#context(principal)}.yaml`);
  }

  get logDirectory(): string {
    return this.#files.path('log');
  }

  /** Of a user of the nats-server: "controller", or an agent's host. */
  natsPassword(user: string): string {
    return this.#secrets.natsPassword(user).content;
  }

  /** What the deliveries of a webhook are signed with. */
  webhookSecret(name: string): string {
    return this.#secrets.webhook(name).content;
  }

  #context(principal: string): string {
    return principal === this.#options.principal ? 'cli' : `cli-${principal}`;
  }

  #launchNode(
    component: 'controller' | 'agent',
    config: string,
    flags: string[],
    name: string = component,
  ): Promise<ManagedProcess> {
    const main = join(ROOT, component, 'src/main.ts');
    return ManagedProcess.start({
      name,
      command: [process.execPath, main, '--config', config, ...flags],
      logFile: this.#files.logFile(name),
      ready: readyLine,
    });
  }
}

/** Both Node processes log one line with msg "ready" and their addresses. */
function readyLine(line: string): Readonly<Record<string, unknown>> | undefined {
  if (!line.includes('"msg":"ready"')) return undefined;
  return JSON.parse(line);
}

function present<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`${what} was not started`);
  return value;
}

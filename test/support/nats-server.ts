import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { endServer, launchServer } from './server-process.ts';
import { until } from './until.ts';

export interface NatsServerOptions {
  /** Further lines of the server's configuration file, e.g. authorization; `jetstream` is there already. */
  readonly config?: string;
  /** Without JetStream when false. */
  readonly jetstream?: boolean;
}

/** A real nats-server on a free loopback port, with a store of its own. It dies with the test process. */
export interface NatsServer {
  readonly url: string;
  readonly port: number;
  /** Asks it to end (SIGTERM), waits, and removes its store. */
  stop(): Promise<void>;
  /** SIGKILL; the store stays for restart(). */
  kill(): Promise<void>;
  /** Starts it again on the same port and store; ends the running one first, if any. */
  restart(): Promise<void>;
  /** Freezes the process (SIGSTOP), or lets it go on: a server that is there but, once frozen, does not answer. */
  freeze(): Promise<void>;
  thaw(): void;
}

const PORTS_DEADLINE_MS = 10_000;

export async function startNatsServer(options: NatsServerOptions = {}): Promise<NatsServer> {
  const directory = mkdtempSync(join(tmpdir(), 'skein-nats-'));
  const configFile = join(directory, 'nats.conf');
  const jetstream = options.jetstream === false ? '' : `jetstream { store_dir: "${directory}" }\n`;
  writeFileSync(configFile, `${jetstream}${options.config ?? ''}\n`);

  let { child, port } = await launch(directory, configFile, -1);
  return {
    url: `nats://127.0.0.1:${port}`,
    port,
    async stop() {
      await endServer(child, 'SIGTERM');
      rmSync(directory, { recursive: true, force: true });
    },
    kill: () => endServer(child, 'SIGKILL'),
    async restart() {
      await endServer(child, 'SIGTERM');
      ({ child, port } = await launch(directory, configFile, port));
    },
    async freeze() {
      child.kill('SIGSTOP');
      await until('nats-server stands still', () => isStopped(child));
    },
    thaw: () => void child.kill('SIGCONT'),
  };
}

async function launch(
  directory: string,
  configFile: string,
  port: number,
): Promise<{ child: ChildProcess; port: number }> {
  const argv = ['-c', configFile, '-a', '127.0.0.1', '-p', String(port)];
  const { child } = await launchServer(
    ['nats-server', ...argv, '--ports_file_dir', directory],
    'Server is ready',
  );
  return { child, port: await portOf(directory, child) };
}

/** A thread runs on until the signal comes to it. */
function isStopped({ pid }: ChildProcess): boolean {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.every((tid) =>
    /\) T /.test(readFileSync(`/proc/${pid}/task/${tid}/stat`, 'utf8')),
  );
}

/** The server writes the ports file only after it said that it is ready. */
async function portOf(directory: string, child: ChildProcess): Promise<number> {
  const deadline = Date.now() + PORTS_DEADLINE_MS;
  const name = `nats-server_${child.pid}.ports`;
  while (Date.now() < deadline) {
    if (readdirSync(directory).includes(name)) {
      const url = /(?:nats|tls):\/\/[^"]+:(\d+)/.exec(readFileSync(join(directory, name), 'utf8'));
      if (url) return Number(url[1]);
    }
    await delay(5);
  }
  throw new Error(`nats-server wrote no ${name}`);
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

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
  /** Freezes the process (SIGSTOP) or lets it go on: a server that is there but does not answer. */
  freeze(): void;
  thaw(): void;
}

const START_DEADLINE_MS = 10_000;

export async function startNatsServer(options: NatsServerOptions = {}): Promise<NatsServer> {
  const directory = mkdtempSync(join(tmpdir(), 'skein-nats-'));
  const configFile = join(directory, 'nats.conf');
  const jetstream = options.jetstream === false ? '' : `jetstream { store_dir: "${directory}" }\n`;
  writeFileSync(configFile, `${jetstream}${options.config ?? ''}\n`);

  let { child, port } = await launch(directory, configFile, -1);
  const end = async (signal: 'SIGTERM' | 'SIGKILL') => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    child.kill('SIGCONT');
    await gone;
  };
  return {
    url: `nats://127.0.0.1:${port}`,
    port,
    async stop() {
      await end('SIGTERM');
      rmSync(directory, { recursive: true, force: true });
    },
    kill: () => end('SIGKILL'),
    async restart() {
      await end('SIGTERM');
      ({ child, port } = await launch(directory, configFile, port));
    },
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
  };
}

async function launch(
  directory: string,
  configFile: string,
  port: number,
): Promise<{ child: ChildProcess; port: number }> {
  const argv = ['-c', configFile, '-a', '127.0.0.1', '-p', String(port)];
  // setpriv execs the server with a parent-death signal, so that even a killed test leaves none behind.
  const child = spawn(
    'setpriv',
    ['--pdeathsig', 'KILL', 'nats-server', ...argv, '--ports_file_dir', directory],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let log = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    log = (log + text).slice(-10_000);
  });
  const deadline = Date.now() + START_DEADLINE_MS;
  while (!log.includes('Server is ready')) {
    if (child.exitCode !== null) throw new Error(`nats-server ended at start:\n${log}`);
    if (Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`nats-server not ready in ${START_DEADLINE_MS} ms:\n${log}`);
    }
    await delay(10);
  }
  return { child, port: await portOf(directory, child, deadline) };
}

/** The server writes the ports file only after it said that it is ready. */
async function portOf(directory: string, child: ChildProcess, deadline: number): Promise<number> {
  const name = `nats-server_${child.pid}.ports`;
  while (Date.now() < deadline) {
    if (readdirSync(directory).includes(name)) {
      const url = /nats:\/\/[^"]+:(\d+)/.exec(readFileSync(join(directory, name), 'utf8'));
      if (url) return Number(url[1]);
    }
    await delay(5);
  }
  throw new Error(`nats-server wrote no ${name}`);
}

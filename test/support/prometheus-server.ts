import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endServer, launchServer } from './server-process.ts';

export interface ScrapeTarget {
  /** `host:port`; scraped at /metrics. */
  readonly address: string;
  /** Put on every series of it. */
  readonly labels?: Readonly<Record<string, string>>;
}

export interface PrometheusServerOptions {
  readonly targets?: readonly ScrapeTarget[];
  /** Default: 200. */
  readonly scrapeIntervalMs?: number;
}

/**
 * A real Prometheus on a free loopback port, with a store of its own. It dies with the test process. Its first scrape
 * comes 5 s after its start, whatever the interval: so often it looks for targets.
 */
export interface PrometheusServer {
  readonly url: string;
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

export async function startPrometheus(
  options: PrometheusServerOptions = {},
): Promise<PrometheusServer> {
  const directory = mkdtempSync(join(tmpdir(), 'skein-prometheus-'));
  writeFileSync(join(directory, 'prometheus.yml'), configuration(options));

  let { child, port } = await launch(directory, 0).catch((error) => {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  });
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      await endServer(child, 'SIGTERM');
      rmSync(directory, { recursive: true, force: true });
    },
    kill: () => endServer(child, 'SIGKILL'),
    async restart() {
      await endServer(child, 'SIGTERM');
      ({ child, port } = await launch(directory, port));
    },
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
  };
}

/** JSON is YAML. */
function configuration({ targets = [], scrapeIntervalMs = 200 }: PrometheusServerOptions): string {
  const interval = `${scrapeIntervalMs}ms`;
  return JSON.stringify({
    global: { scrape_interval: interval, scrape_timeout: interval },
    scrape_configs: [
      {
        job_name: 'test',
        static_configs: targets.map(({ address, labels = {} }) => ({ targets: [address], labels })),
      },
    ],
  });
}

async function launch(
  directory: string,
  port: number,
): Promise<{ child: ChildProcess; port: number }> {
  const argv = [
    'prometheus',
    `--config.file=${join(directory, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(directory, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  const address = 'msg="Listening on" address=127.0.0.1:';
  const ready = 'Server is ready to receive web requests';
  const { child, log } = await launchServer(argv, address, ready);
  return { child, port: Number.parseInt(log.slice(log.indexOf(address) + address.length), 10) };
}

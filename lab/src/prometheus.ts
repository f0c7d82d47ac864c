import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import type { FleetFiles } from './fleet-files.ts';
import { ManagedProcess } from './managed-process.ts';

/** As often as agents read their counters anew. */
const SCRAPE_INTERVAL = '1s';
const CONFIG = 'prometheus/prometheus.yml';
const TARGETS = 'prometheus/targets.json';

/**
 * A Prometheus that scrapes the agents of a fleet. It announces its `url`. It looks for targets every 5 s, so its
 * first scrape comes 5 s after its start.
 */
export function startPrometheus(files: FleetFiles): Promise<ManagedProcess> {
  mkdirSync(files.path('prometheus'), { recursive: true });
  const config = {
    global: { scrape_interval: SCRAPE_INTERVAL, scrape_timeout: SCRAPE_INTERVAL },
    scrape_configs: [{ job_name: 'skein', file_sd_configs: [{ files: [files.path(TARGETS)] }] }],
  };
  // JSON is YAML.
  writeFileSync(files.path(CONFIG), JSON.stringify(config));
  let url = '';
  return ManagedProcess.start({
    name: 'prometheus',
    command: [
      'prometheus',
      `--config.file=${files.path(CONFIG)}`,
      `--storage.tsdb.path=${files.path('prometheus/data')}`,
      `--web.listen-address=127.0.0.1:0`,
    ],
    logFile: files.logFile('prometheus'),
    ready(line) {
      const [, address] = /msg="Listening on" address=(\S+)/.exec(line) ?? [];
      if (address !== undefined) url = `http://${address}`;
      return line.includes('Server is ready to receive web requests') ? { url } : undefined;
    },
  });
}

/** Each agent's series get the label `host`. */
export function writeTargets(files: FleetFiles, agents: ReadonlyMap<string, ManagedProcess>): void {
  const targets = [...agents].map(([host, { announced }]) => ({
    targets: [new URL(String(announced.metrics)).host],
    labels: { host },
  }));
  const path = files.path(TARGETS);
  // By a rename, for it is read whenever it changes.
  writeFileSync(`${path}.new`, JSON.stringify(targets));
  renameSync(`${path}.new`, path);
}

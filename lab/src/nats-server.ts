import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { FleetFiles } from './fleet-files.ts';
import { ManagedProcess } from './managed-process.ts';
import { type NatsUsers, natsConf } from './nats-conf.ts';

/** @param port -1 takes a free one */
export async function startNats(
  files: FleetFiles,
  users: NatsUsers,
  port: number,
): Promise<{ readonly process: ManagedProcess; readonly port: number }> {
  const directory = files.path('nats');
  const conf = join(directory, 'nats.conf');
  writeFileSync(conf, natsConf(directory, users), { mode: 0o600 });
  const address = ['-a', '127.0.0.1', '-p', String(port)];
  const process = await ManagedProcess.start({
    name: 'nats-server',
    command: ['nats-server', '-c', conf, ...address, '--ports_file_dir', directory],
    logFile: files.logFile('nats-server'),
    ready: (line) => (line.includes('Server is ready') ? {} : undefined),
  });
  return { process, port: await portOf(directory, process.pid) };
}

/** It writes its ports file just after it said that it is ready. */
async function portOf(directory: string, pid: number): Promise<number> {
  const name = `nats-server_${pid}.ports`;
  while (!readdirSync(directory).includes(name)) await delay(5);
  const match = /nats:\/\/[^"]+:(\d+)/.exec(readFileSync(join(directory, name), 'utf8'));
  return match ? Number(match[1]) : portOf(directory, pid);
}

import { mkdirSync } from 'node:fs';
import { userInfo } from 'node:os';
import { SkeinError } from '#common/errors.ts';
import { Fleet } from './fleet.ts';
import { type GUARD_KEYS, GuardedHost } from './guarded-host.ts';
import { lockDirectory } from './lock.ts';
import { skein } from './skein-command.ts';
import { labPinRoot, sweepLab } from './sweep.ts';
import { watchTraffic } from './watch-traffic.ts';

export interface UpOptions {
  /** Keys, passwords, logs and NATS data; survives from run to run. */
  readonly directory: string;
  /** Of the controller's gRPC server. */
  readonly listen: string;
  readonly say: (text: string) => void;
  /** Ends it. */
  readonly signal: AbortSignal;
}

const HOST = 'local';

const DESCRIPTIONS: Readonly<Record<keyof typeof GUARD_KEYS, string>> = {
  'net.drop_icmp': 'drop all ICMP',
  'net.drop_udp': 'drop UDP, but for the ports in the udp_exempt map',
  'net.count_protocols': 'count packets and bytes per protocol',
};

/**
 * The embedded default: nats-server, controller and one agent that runs the guard example in a network
 * namespace with live traffic, until the signal. Leaves no process, namespace or pin behind.
 *
 * @throws SkeinError SKEIN_MISSING_PREREQUISITE, SKEIN_ADDRESS_IN_USE
 */
export async function up(options: UpOptions): Promise<void> {
  requireRoot();
  mkdirSync(options.directory, { recursive: true, mode: 0o700 });
  await using undo = new AsyncDisposableStack();
  undo.use(await lockDirectory(options.directory));
  sweepLab();
  const host = new GuardedHost(HOST, { zone: 'a' });
  undo.defer(() => host.remove());
  const fleet = new Fleet({
    directory: options.directory,
    listen: options.listen,
    principal: userInfo().username,
    pinRoot: labPinRoot(),
    agents: [host.agent],
  });
  undo.defer(() => fleet.stop());
  undo.defer(() => options.say('stopping'));
  await fleet.start();
  await createKeys(fleet);
  options.say(welcome(fleet, host));
  await Promise.race([
    watchTraffic(host, options.say, options.signal),
    anyEnded(fleet, options.signal),
  ]);
}

function requireRoot(): void {
  if (process.getuid?.() === 0) return;
  throw new SkeinError(
    'SKEIN_MISSING_PREREQUISITE',
    'skein up is not running as root, which loading BPF and making network namespaces need',
    { remedy: 'Run it as root: sudo env "PATH=$PATH" npm start.' },
  );
}

/** Those of the guard example; existing ones keep the state that the operator left them in. */
async function createKeys(fleet: Fleet): Promise<void> {
  for (const [key, description] of Object.entries(DESCRIPTIONS)) {
    const found = await skein(fleet.cliConfig, 'key', 'get', key);
    if (found.exitCode === 0) continue;
    const byDefault = key === 'net.count_protocols' ? 'on' : 'off';
    const made = await skein(
      fleet.cliConfig,
      ...['key', 'create', key, '--description', description, '--default', byDefault],
      ...['--reason', 'embedded default'],
    );
    if (made.exitCode !== 0) throw new SkeinError('SKEIN_INTERNAL', made.stderr.trim());
  }
}

function welcome(fleet: Fleet, host: GuardedHost): string {
  const { announced } = fleet.agent(HOST);
  return [
    'ready',
    '',
    `  controller  ${fleet.server} (gRPC), ${fleet.controller.announced.metrics}/metrics`,
    `  agent       host "${HOST}", ${announced.metrics}/metrics`,
    `  nats        ${fleet.natsUrl}`,
    `  program     examples/guard on ${host.lab.device} in ${host.lab.netns}, with live ICMP and UDP`,
    `  logs        ${fleet.logDirectory}`,
    '',
    'Try, in another terminal:',
    '',
    '  npx skein set net.drop_icmp on --wait',
    `  npx skein explain ${HOST} net.drop_icmp`,
    '  npx skein set net.drop_icmp off --wait',
    '',
    'Ctrl-C stops everything.',
    '',
  ].join('\n');
}

/** Ctrl-C reaches the whole process group, so after the signal the others may well end first. */
async function anyEnded(fleet: Fleet, signal: AbortSignal): Promise<void> {
  const which = await Promise.race(fleet.processes.map((each) => each.ended.then(() => each)));
  if (signal.aborted) return;
  throw new SkeinError('SKEIN_INTERNAL', `${which.name} ended by itself`, {
    remedy: `Its log is ${which.logFile}.`,
  });
}

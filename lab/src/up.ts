import { mkdirSync } from 'node:fs';
import { userInfo } from 'node:os';
import { SkeinError } from '#common/errors.ts';
import { errorOfLine } from './error-line.ts';
import { Fleet } from './fleet.ts';
import type { GUARD_KEYS } from './guard-program.ts';
import { chooseLabEngine, type LabEngine, type LabEngineChoice } from './lab-engine.ts';
import { LabHosts, VICTIM } from './lab-hosts.ts';
import { lockDirectory } from './lock.ts';
import { skein } from './skein-command.ts';
import type { TrafficHost } from './traffic-host.ts';
import { watchTraffic } from './watch-traffic.ts';

export interface UpOptions {
  /** Keys, passwords, logs and NATS data; survives from run to run. */
  readonly directory: string;
  /** Of the controller's gRPC server. */
  readonly listen: string;
  /** Absent: the kernel's where it can run, else the userspace engine. */
  readonly engine: LabEngine | undefined;
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
 * The embedded default: nats-server, controller and one agent that runs the guard example on live traffic, until the
 * signal: in a network namespace with the kernel engine, in a UDP forwarder with the userspace engine. Leaves no
 * process, namespace or pin behind.
 *
 * @throws SkeinError SKEIN_MISSING_PREREQUISITE, SKEIN_ADDRESS_IN_USE
 */
export async function up(options: UpOptions): Promise<void> {
  const choice = chooseLabEngine(options.engine);
  mkdirSync(options.directory, { recursive: true, mode: 0o700 });
  await using undo = new AsyncDisposableStack();
  undo.use(await lockDirectory(options.directory));
  try {
    await untilSignalled(options, choice, undo);
  } catch (thrown) {
    // Ctrl-C reaches the whole process group: that the others end, in whatever they were doing, is no error then.
    if (!options.signal.aborted) throw thrown;
  }
}

async function untilSignalled(
  options: UpOptions,
  choice: LabEngineChoice,
  undo: AsyncDisposableStack,
): Promise<void> {
  const zones = new Map([[HOST, 'a']]);
  const hosts = undo.use(await LabHosts.open(choice.engine, zones, options.directory));
  const fleet = new Fleet({
    directory: options.directory,
    listen: options.listen,
    principal: loginName(),
    ...hosts.forFleet,
  });
  undo.defer(() => fleet.stop());
  undo.defer(() => options.say('stopping'));
  await fleet.start();
  options.signal.throwIfAborted();
  await createKeys(fleet);
  options.signal.throwIfAborted();
  options.say(welcome(fleet, hosts.only, choice));
  await Promise.race([watchTraffic(hosts.only, options.say, options.signal), anyEnded(fleet)]);
}

/** Containers may run as a user that has none. */
function loginName(): string {
  try {
    return userInfo().username;
  } catch {
    return `user-${process.getuid?.()}`;
  }
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
    if (made.exitCode === 0) continue;
    const { name, logFile } = fleet.controller;
    throw (
      errorOfLine(made.stderr, name, `Its log is ${logFile}.`) ??
      new SkeinError('SKEIN_INTERNAL', made.stderr)
    );
  }
}

function welcome(fleet: Fleet, host: TrafficHost, { engine, why }: LabEngineChoice): string {
  const { announced } = fleet.agent(HOST);
  const key: keyof typeof GUARD_KEYS = `net.drop_${VICTIM[engine]}`;
  const traffic = host.carries.map((protocol) => protocol.toUpperCase()).join(' and ');
  return [
    'ready',
    '',
    `  engine      ${engine}: ${why}`,
    `  controller  ${fleet.server} (gRPC), ${fleet.controller.announced.metrics}/metrics`,
    `  agent       host "${HOST}", ${announced.metrics}/metrics`,
    `  nats        ${fleet.natsUrl}`,
    `  program     examples/guard ${host.place}, with live ${traffic}`,
    `  logs        ${fleet.logDirectory}`,
    '',
    'Try, in another terminal:',
    '',
    `  npx skein set ${key} on --wait`,
    `  npx skein explain ${HOST} ${key}`,
    `  npx skein set ${key} off --wait`,
    '',
    'Ctrl-C stops everything.',
    '',
  ].join('\n');
}

async function anyEnded(fleet: Fleet): Promise<never> {
  const { name, logFile } = await Promise.race(
    fleet.processes.map((each) => each.ended.then(() => each)),
  );
  throw new SkeinError('SKEIN_INTERNAL', `${name} ended by itself`, {
    remedy: `Its log is ${logFile}.`,
  });
}

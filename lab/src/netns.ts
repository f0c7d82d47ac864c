import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';

/**
 * A host of the lab: a network namespace with one device, and a second namespace at the other end of the
 * cable where its traffic comes from. Nothing of the machine's own network is touched.
 */
export interface LabHost {
  readonly name: string;
  /** Where the host's device is: "/run/netns/...". */
  readonly netns: string;
  readonly device: string;
  readonly address: string;
  readonly peerNetns: string;
  removeDevice(): void;
  /** After removeDevice(). */
  addDevice(): void;
  /** Another device under the same name, as when a container's network is made anew. */
  replaceDevice(): void;
  remove(): void;
}

const NETNS_DIRECTORY = '/run/netns';
const PREFIX = 'skein-lab-';

/** The name of something this process must remove: with its pid, so that others can tell when it is stale. */
export const labName = (name: string): string => `${PREFIX}${process.pid}-${name}`;

/** Whether a lab process made this and has ended since. */
export function isStaleLabName(name: string): boolean {
  const pid = name.startsWith(PREFIX) ? Number.parseInt(name.slice(PREFIX.length), 10) : 0;
  return pid > 0 && !existsSync(`/proc/${pid}`);
}

/** RFC 5737 documentation addresses; every pair is isolated, so all use the same. */
const HOST_ADDRESS = '192.0.2.1';
const PEER_ADDRESS = '192.0.2.2';

export function createLabHost(name: string): LabHost {
  const host = labName(name);
  const peer = `${host}-peer`;
  const remove = (): void => {
    for (const netns of [host, peer]) removeNetns(netns);
  };
  const removeDevice = (): void => ip('-n', host, 'link', 'delete', 'eth0');
  const addDevice = (): void => connect(host, peer);
  try {
    ip('netns', 'add', host);
    ip('netns', 'add', peer);
    addDevice();
  } catch (thrown) {
    remove();
    throw thrown;
  }
  return {
    name,
    netns: `${NETNS_DIRECTORY}/${host}`,
    device: 'eth0',
    address: HOST_ADDRESS,
    peerNetns: `${NETNS_DIRECTORY}/${peer}`,
    removeDevice,
    addDevice,
    replaceDevice() {
      removeDevice();
      addDevice();
    },
    remove,
  };
}

function connect(host: string, peer: string): void {
  // Made inside the namespace: the machine's own never sees the device.
  ip('-n', host, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', peer);
  ip('-n', host, 'address', 'add', `${HOST_ADDRESS}/30`, 'dev', 'eth0');
  ip('-n', peer, 'address', 'add', `${PEER_ADDRESS}/30`, 'dev', 'eth0');
  for (const netns of [host, peer]) ip('-n', netns, 'link', 'set', 'eth0', 'up');
}

export function staleLabNetns(): readonly string[] {
  return existsSync(NETNS_DIRECTORY) ? readdirSync(NETNS_DIRECTORY).filter(isStaleLabName) : [];
}

export function removeNetns(netns: string): void {
  if (existsSync(`${NETNS_DIRECTORY}/${netns}`)) ip('netns', 'delete', netns);
}

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

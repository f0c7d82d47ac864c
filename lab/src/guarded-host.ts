import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { AgentOptions } from './fleet.ts';
import { createLabHost, type LabHost } from './netns.ts';
import { countsSince, startTraffic, type Traffic, type TrafficCounts } from './traffic.ts';

const GUARD_OBJECT = fileURLToPath(new URL('../../examples/build/guard.bpf.o', import.meta.url));
const PACKETS_PER_SECOND = 200;

/** Fleet key → static key of the guard example. */
export const GUARD_KEYS = {
  'net.drop_icmp': 'drop_icmp',
  'net.drop_udp': 'drop_udp',
  'net.count_protocols': 'count_protocols',
} as const;

/** A lab host with live traffic, whose agent is to run the guard example on its device. */
export class GuardedHost {
  readonly lab: LabHost;
  readonly agent: AgentOptions;
  readonly #traffic: Traffic;

  constructor(name: string, labels: Readonly<Record<string, string>>) {
    this.lab = createLabHost(name);
    this.#traffic = startTraffic(this.lab, PACKETS_PER_SECOND);
    const { device, netns } = this.lab;
    this.agent = {
      host: name,
      labels,
      programs: [
        {
          name: 'guard',
          object: GUARD_OBJECT,
          attach: [{ program: 'guard_xdp', xdp: { device, netns } }],
          keys: GUARD_KEYS,
        },
      ],
    };
  }

  counts(): Promise<TrafficCounts> {
    return this.#traffic.counts();
  }

  /** What arrives of the next packets, at least `packets` of each kind. */
  async sample(packets: number): Promise<TrafficCounts> {
    const before = await this.counts();
    for (;;) {
      await delay((packets / PACKETS_PER_SECOND) * 1_000);
      const since = countsSince(before, await this.counts());
      if (since.icmpSent >= packets && since.udpSent >= packets) return since;
    }
  }

  async remove(): Promise<void> {
    await this.#traffic.stop();
    this.lab.remove();
  }
}

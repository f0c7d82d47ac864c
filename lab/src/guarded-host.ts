import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { AgentOptions } from './fleet-options.ts';
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

/** What the agent exports of the guard example's maps: examples/guard/README.md. */
const GUARD_COUNTERS = [
  {
    metric: 'guard_dropped_packets_total',
    help: 'Packets dropped, by reason.',
    map: 'drops',
    field: 'packets',
    index: { label: 'reason', values: { icmp: 0, udp: 1, fragment: 2, source: 3 } },
  },
  {
    metric: 'guard_received_packets_total',
    help: 'Packets received while count_protocols is on, dropped ones included, by IP protocol.',
    map: 'rx_protocols',
    field: 'packets',
    index: { label: 'protocol', values: { icmp: 1, tcp: 6, udp: 17 } },
  },
];

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
          counters: GUARD_COUNTERS,
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

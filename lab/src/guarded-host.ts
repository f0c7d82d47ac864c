import type { AgentOptions } from './fleet-options.ts';
import { guardProgram } from './guard-program.ts';
import { createLabHost, type LabHost } from './netns.ts';
import { startTraffic, type Traffic, type TrafficCounts } from './traffic.ts';
import { PACKETS_PER_SECOND, sampleTraffic, type TrafficHost } from './traffic-host.ts';

/** A host of the kernel engine: a network namespace whose device the guard example is attached to. */
export class GuardedHost implements TrafficHost {
  readonly lab: LabHost;
  readonly agent: AgentOptions;
  readonly carries = ['icmp', 'udp'] as const;
  readonly #traffic: Traffic;

  constructor(name: string, labels: Readonly<Record<string, string>>) {
    this.lab = createLabHost(name);
    this.#traffic = startTraffic(this.lab, PACKETS_PER_SECOND);
    const { device, netns } = this.lab;
    this.agent = {
      host: name,
      labels,
      programs: [guardProgram({ xdp: { device, netns } })],
      settings: { engine: 'kernel' },
    };
  }

  get name(): string {
    return this.lab.name;
  }

  get place(): string {
    return `on ${this.lab.device} in ${this.lab.netns}`;
  }

  counts(): Promise<TrafficCounts> {
    return this.#traffic.counts();
  }

  sample(packets: number): Promise<TrafficCounts> {
    return sampleTraffic(this, packets);
  }

  async remove(): Promise<void> {
    await this.#traffic.stop();
    this.lab.remove();
  }
}

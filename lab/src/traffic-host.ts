import { setTimeout as delay } from 'node:timers/promises';
import type { AgentOptions } from './fleet-options.ts';
import { countsSince, type Protocol, type TrafficCounts } from './traffic.ts';

export const PACKETS_PER_SECOND = 200;

/** A host with live traffic, whose agent is to run the guard example where that comes in. */
export interface TrafficHost {
  readonly name: string;
  readonly agent: AgentOptions;
  /** Where the program runs, for people. */
  readonly place: string;
  /** What its traffic is made of: {@link PACKETS_PER_SECOND} of each. */
  readonly carries: readonly Protocol[];
  counts(): Promise<TrafficCounts>;
  remove(): Promise<void>;
}

/** What arrives of the next packets, at least `packets` of each kind. */
export async function sampleTraffic(host: TrafficHost, packets: number): Promise<TrafficCounts> {
  const before = await host.counts();
  for (;;) {
    await delay((packets / PACKETS_PER_SECOND) * 1_000);
    const since = countsSince(before, await host.counts());
    if (host.carries.every((protocol) => since[`${protocol}Sent`] >= packets)) return since;
  }
}

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { LabHost } from './netns.ts';

export type Protocol = 'icmp' | 'udp';

/** Packets since the start of the source. */
export interface TrafficCounts {
  readonly icmpSent: number;
  readonly icmpReceived: number;
  readonly udpSent: number;
  readonly udpReceived: number;
}

/** Continuous ICMP and UDP from a lab host's peer to the host: see lab/native/traffic.c. */
export interface Traffic {
  /** What was sent so far, and what of it has arrived; nothing is in flight. */
  counts(): Promise<TrafficCounts>;
  /** Sends no more. What was sent in all, and what of it has arrived; `undefined` when it had ended by itself. */
  stop(): Promise<TrafficCounts | undefined>;
}

const BINARY = fileURLToPath(new URL('../native/build/traffic', import.meta.url));

export function startTraffic(host: LabHost, packetsPerSecond: number): Traffic {
  const child = spawn(
    BINARY,
    [host.netns, host.address, host.peerNetns, String(packetsPerSecond)],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  // It may be gone already, as after a signal to the whole process group; counts() then says so.
  child.stdin.on('error', () => {});
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async counts() {
      child.stdin.write('\n');
      const { value, done } = await lines.next();
      if (done) throw new Error(`traffic source of ${host.name} ended`);
      return parseCounts(value);
    },
    async stop() {
      child.stdin.end();
      const { value, done } = await lines.next();
      await exited;
      return done ? undefined : parseCounts(value);
    },
  };
}

export function countsSince(before: TrafficCounts, now: TrafficCounts): TrafficCounts {
  return {
    icmpSent: now.icmpSent - before.icmpSent,
    icmpReceived: now.icmpReceived - before.icmpReceived,
    udpSent: now.udpSent - before.udpSent,
    udpReceived: now.udpReceived - before.udpReceived,
  };
}

function parseCounts(line: string): TrafficCounts {
  const { icmpSent, icmpReceived, udpSent, udpReceived } = JSON.parse(line);
  return { icmpSent, icmpReceived, udpSent, udpReceived };
}

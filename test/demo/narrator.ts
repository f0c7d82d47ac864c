import type { TrafficCounts } from '#lab/traffic.ts';

/** What happened at one host in one step. */
export interface HostOutcome {
  readonly host: string;
  readonly traffic: TrafficCounts;
  /** What the step says must have happened to the host's ICMP; UDP always passes. */
  readonly icmp: 'passes' | 'dropped';
}

export interface DemoStep {
  readonly step: string;
  readonly ok: boolean;
  readonly hosts: readonly HostOutcome[];
  readonly flips: readonly FlipTiming[];
}

/** As the agent of a host acknowledged it. */
export interface FlipTiming {
  readonly host: string;
  readonly pokeUs: number;
  readonly applyMs: number;
}

export const asExpected = ({ traffic, icmp }: HostOutcome): boolean =>
  traffic.icmpSent > 0 &&
  traffic.udpSent > 0 &&
  traffic.icmpReceived === (icmp === 'passes' ? traffic.icmpSent : 0) &&
  traffic.udpReceived === traffic.udpSent;

export function describeStep({ step, ok, hosts, flips }: DemoStep): string {
  const lines = hosts.map((outcome) => {
    const { host, traffic, icmp } = outcome;
    const verdict = asExpected(outcome) ? '' : `   WRONG: ICMP should be ${icmp}, UDP should pass`;
    const arrived = [
      `icmp ${traffic.icmpReceived}/${traffic.icmpSent}`.padEnd(16),
      `udp ${traffic.udpReceived}/${traffic.udpSent}`.padEnd(16),
    ];
    return `    ${host}  ${arrived.join('')}${flipText(flips, host)}${verdict}`.trimEnd();
  });
  return [`${ok ? 'ok  ' : 'FAIL'} ${step}`, ...lines].join('\n');
}

function flipText(flips: readonly FlipTiming[], host: string): string {
  const flip = flips.find((each) => each.host === host);
  if (!flip) return '';
  if (flip.pokeUs === 0) return `unchanged, read back in ${flip.applyMs.toFixed(2)} ms`;
  return `flip ${flip.applyMs.toFixed(2)} ms, poke ${flip.pokeUs.toFixed(2)} µs`;
}

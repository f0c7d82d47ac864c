import type { TrafficCounts } from '#lab/traffic.ts';

/** Of a host's ICMP: all arrives, none, or something was lost at some time. */
export type IcmpFate = 'passes' | 'dropped' | 'suffers';

/** What happened at one host in one step. */
export interface HostOutcome {
  readonly host: string;
  readonly traffic: TrafficCounts;
  /** What the step says must have happened to the host's ICMP; UDP always passes. */
  readonly icmp: IcmpFate;
}

export interface DemoStep {
  readonly step: string;
  readonly ok: boolean;
  readonly hosts: readonly HostOutcome[];
  readonly flips: readonly FlipTiming[];
  readonly facts: readonly Fact[];
}

/** Something else that the step found. */
export interface Fact {
  readonly fact: string;
  /** Whether it is as it must be. */
  readonly ok: boolean;
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
  hasMet(icmp, traffic) &&
  traffic.udpReceived === traffic.udpSent;

function hasMet(fate: IcmpFate, { icmpReceived, icmpSent }: TrafficCounts): boolean {
  switch (fate) {
    case 'passes':
      return icmpReceived === icmpSent;
    case 'dropped':
      return icmpReceived === 0;
    case 'suffers':
      return icmpReceived < icmpSent;
  }
}

const SHOULD = {
  passes: 'ICMP should pass',
  dropped: 'ICMP should be dropped',
  suffers: 'some ICMP should be lost',
} as const;

export function describeStep({ step, ok, hosts, flips, facts }: DemoStep): string {
  const lines = hosts.map((outcome) => {
    const { host, traffic, icmp } = outcome;
    const verdict = asExpected(outcome) ? '' : `   WRONG: ${SHOULD[icmp]}, UDP should pass`;
    const arrived = [
      `icmp ${traffic.icmpReceived}/${traffic.icmpSent}`.padEnd(16),
      `udp ${traffic.udpReceived}/${traffic.udpSent}`.padEnd(16),
    ];
    return `    ${host}  ${arrived.join('')}${flipText(flips, host)}${verdict}`.trimEnd();
  });
  const found = facts.map(({ fact, ok }) => `    ${fact}${ok ? '' : '   WRONG'}`);
  return [`${ok ? 'ok  ' : 'FAIL'} ${step}`, ...lines, ...found].join('\n');
}

function flipText(flips: readonly FlipTiming[], host: string): string {
  const flip = flips.find((each) => each.host === host);
  if (!flip) return '';
  if (flip.pokeUs === 0) return `unchanged, read back in ${flip.applyMs.toFixed(2)} ms`;
  return `flip ${flip.applyMs.toFixed(2)} ms, poke ${flip.pokeUs.toFixed(2)} µs`;
}

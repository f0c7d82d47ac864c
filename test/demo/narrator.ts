import type { Protocol, TrafficCounts } from '#lab/traffic.ts';

/** Of a host's packets of one protocol: all arrive, none, or something was lost at some time. */
export type Fate = 'passes' | 'dropped' | 'suffers';

/** What happened at one host in one step. */
export interface HostOutcome {
  readonly host: string;
  readonly traffic: TrafficCounts;
  /** What the step says must have happened to each protocol that the host carries. */
  readonly fates: readonly (readonly [Protocol, Fate])[];
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

export const asExpected = ({ traffic, fates }: HostOutcome): boolean =>
  fates.every(
    ([protocol, fate]) => traffic[`${protocol}Sent`] > 0 && hasMet(fate, protocol, traffic),
  );

function hasMet(fate: Fate, protocol: Protocol, traffic: TrafficCounts): boolean {
  const received = traffic[`${protocol}Received`];
  const sent = traffic[`${protocol}Sent`];
  switch (fate) {
    case 'passes':
      return received === sent;
    case 'dropped':
      return received === 0;
    case 'suffers':
      return received < sent;
  }
}

const SHOULD: Readonly<Record<Fate, string>> = {
  passes: 'should pass',
  dropped: 'should be dropped',
  suffers: 'should be lost in part',
};

export function describeStep({ step, ok, hosts, flips, facts }: DemoStep): string {
  const lines = hosts.map((outcome) => {
    const { host, traffic, fates } = outcome;
    const wrong = fates.map(([protocol, fate]) => `${protocol.toUpperCase()} ${SHOULD[fate]}`);
    const verdict = asExpected(outcome) ? '' : `   WRONG: ${wrong.join(', ')}`;
    const arrived = fates.map(([protocol]) => {
      const counts = `${traffic[`${protocol}Received`]}/${traffic[`${protocol}Sent`]}`;
      return `${protocol} ${counts}`.padEnd(16);
    });
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

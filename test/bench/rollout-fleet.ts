import type { DesiredState } from '#common/desired.ts';
import type { KeyObservation } from '#common/observed.ts';
import type { RolloutRecord } from '#common/rollout/rollout.ts';
import type { RolloutSpec, Step } from '#common/rollout/spec.ts';
import type { KnownHost } from '#controller/fleet/host.ts';
import { eligibleHosts } from '#controller/rollout/plan/eligible.ts';
import { rank } from '#controller/rollout/plan/ranked.ts';
import { rulesFor } from '#controller/rollout/plan/rules.ts';
import { newRecord } from '#controller/rollout/step/new-record.ts';

export const NOW = new Date('2026-01-01T00:00:00Z');
export const KEY = 'key-0';

const ZONES = ['a', 'b', 'c', 'd'];

/**
 * A fleet that has `keys` keys. Each host binds the key that is rolled out and `perHost - 1` others, so that every key
 * is bound by somebody.
 */
export function benchFleet(hosts: number, keys: number, perHost: number): KnownHost[] {
  const observations = Array.from({ length: keys }, (_, number) => observationOf(`key-${number}`));
  return Array.from({ length: hosts }, (_, number) => {
    const bound = Array.from({ length: perHost }, (_, at) => {
      return observations[at === 0 ? 0 : (number * perHost + at) % keys];
    });
    const own = [...new Set(bound)].filter((observation) => observation !== undefined);
    return hostOf(`host-${number}.example.com`, ZONES[number % ZONES.length] ?? '', own);
  });
}

function hostOf(host: string, zone: string, keys: readonly KeyObservation[]): KnownHost {
  return {
    report: {
      host,
      labels: { zone, tier: 'web', rack: host.slice(-14, -12) },
      agentVersion: '0.1.0',
      engine: 'kernel',
      kernelRelease: '6.18.0',
      incarnation: host,
      keys,
      programs: [],
    },
    observations: new Map(keys.map((observation) => [observation.key, observation])),
    lastSeen: NOW,
    intervalMs: 3_600_000,
  };
}

export function observationOf(key: string, generation = 1n, value = false): KeyObservation {
  return {
    key,
    generation,
    value,
    outcome: 'applied',
    tier: 'dynamic',
    pokeNs: 300n,
    applyNs: 90_000n,
    appliedAt: NOW,
  };
}

const step = (reach: Step['reach']): Step => ({ reach, bakeMs: 60_000, gates: [], hold: false });

export const SPEC: RolloutSpec = {
  key: KEY,
  value: true,
  selector: 'tier=web',
  steps: [
    step({ kind: 'cohort', cohort: 'canary', selector: 'zone=a,rack in (00,01,02,03)' }),
    ...[5, 25, 50, 100].map((percent) => step({ kind: 'percent', percent })),
  ],
  limits: {
    maxUnavailable: { kind: 'percent', percent: 5 },
    maxFailed: { kind: 'hosts', hosts: 0 },
    ackTimeoutMs: 300_000,
  },
  windows: [],
  approvals: 0,
  description: '',
  onFailure: 'rollback',
};

export function keyState(state: Partial<DesiredState> = {}): DesiredState {
  return {
    name: KEY,
    generation: 1n,
    defaultValue: false,
    rules: [{ selector: 'zone=d', value: true }],
    deleted: false,
    description: '',
    change: { action: 'set', actor: 'somebody', reason: '', requestId: '', time: NOW },
    ...state,
  };
}

/** The step that takes in half the fleet, with its rules in force and no host having acknowledged them. */
export function runningHalf(fleet: readonly KnownHost[]): {
  readonly record: RolloutRecord;
  readonly key: DesiredState;
} {
  const half = SPEC.steps.findIndex(
    ({ reach }) => reach.kind === 'percent' && reach.percent === 50,
  );
  const width = fleet.length / 2;
  const approval = { required: 0, approvers: [] };
  const made = newRecord({ id: 'r', spec: SPEC, requestId: '', creator: '', approval, now: NOW });
  const running = { phase: 'running', step: half, width, startedAt: NOW, widenedAt: NOW } as const;
  const before = keyState();
  const rules = rulesAt(fleet, half, width, before);
  return {
    record: { ...made, state: { ...made.state, ...running } },
    key: { ...before, generation: 2n, rules: [...rules, ...before.rules] },
  };
}

/** As the driver makes them: from the fleet as it is, for one step. */
export function rulesAt(
  fleet: readonly KnownHost[],
  step: number,
  width: number,
  { rules }: DesiredState,
) {
  const concern = { key: KEY, selector: SPEC.selector, since: NOW };
  const eligible = eligibleHosts(concern, fleet, NOW);
  const hosts = rank(
    KEY,
    eligible.map(({ report }) => report),
  );
  return rulesFor({ id: 'r', spec: SPEC, step, width, hosts, older: rules });
}

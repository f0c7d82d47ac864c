import type { Clock } from '#common/clock.ts';
import type { DesiredState } from '#common/desired.ts';
import { SkeinError } from '#common/errors.ts';
import type { Measurement, RolloutRecord } from '#common/rollout/rollout.ts';
import type { KnownHost } from '../fleet/host.ts';
import type { KeyDesk } from '../keys/key-desk.ts';
import type { RolloutChange } from '../keys/mutation.ts';
import type { GateContext, Measure } from './gates/measure.ts';
import { eligibleHosts } from './plan/eligible.ts';
import { rank, takes } from './plan/ranked.ts';
import { rulesFor } from './plan/rules.ts';
import type { RolloutWork } from './rollout-ledger.ts';
import { hosts as countHosts } from './step/limits.ts';

/** What changes the key. */
export type KeyWork = Exclude<RolloutWork, { kind: 'measure' }>;
export type GateWork = Extract<RolloutWork, { kind: 'measure' }>;

export interface CarryOutParts {
  readonly desk: Pick<KeyDesk, 'mutate'>;
  /** The newest state of a key. */
  readonly desired: (key: string) => DesiredState | undefined;
  readonly hosts: () => readonly KnownHost[];
  readonly measure: Measure;
  readonly clock: Clock;
}

/** Carries out what the machine decided. Doing one thing twice does no harm. */
export function carryOut(parts: CarryOutParts) {
  const { desk, desired, hosts, measure, clock } = parts;

  const concerned = ({ spec, state }: RolloutRecord) => {
    const { key, selector } = spec;
    const since = state.startedAt ? { since: state.startedAt } : {};
    const eligible = eligibleHosts({ key, selector, ...since }, hosts(), clock.now());
    return rank(
      key,
      eligible.map(({ report }) => report),
    );
  };

  const rulesOf = ({ spec }: RolloutRecord) => {
    const state = desired(spec.key);
    if (state && !state.deleted) return state.rules;
    throw new SkeinError('SKEIN_KEY_NOT_FOUND', `fleet key "${spec.key}"`);
  };

  const changeBy = (record: RolloutRecord, work: KeyWork): RolloutChange => {
    if (work.kind !== 'take') return work;
    const { id, spec } = record;
    const { step, width } = work;
    const older = rulesOf(record);
    const rules = rulesFor({ id, spec, step, width, hosts: concerned(record), older });
    return { kind: 'take', rules };
  };

  return {
    /** @throws SkeinError what KeyDesk.mutate() throws */
    async changeKey(record: RolloutRecord, work: KeyWork, epoch: bigint): Promise<void> {
      const { id, spec } = record;
      const change = changeBy(record, work);
      const mutation = { action: 'rollout' as const, name: spec.key, rollout: id, epoch, change };
      const reason = `rollout ${id}: ${describe(record, work)}`;
      await desk.mutate(mutation, { ...BY_SKEIN, reason });
    },

    async measure(record: RolloutRecord, { step, gate }: GateWork): Promise<Measurement> {
      const asked = record.spec.steps[step]?.gates[gate];
      if (!asked) throw new SkeinError('SKEIN_INTERNAL', `rollout ${record.id} has no such gate`);
      return await measure(asked, contextOf(record));
    },
  };

  function contextOf(record: RolloutRecord): GateContext {
    const { id, spec } = record;
    const rules = desired(spec.key)?.rules ?? [];
    const isTaken = takes(rules.filter(({ rollout }) => rollout?.id === id));
    const changed: string[] = [];
    const control: string[] = [];
    for (const host of concerned(record)) (isTaken(host) ? changed : control).push(host.host);
    return { key: spec.key, changed, control };
  }
}

const BY_SKEIN = { actor: 'skein', requestId: '', etag: '', validateOnly: false };

function describe({ spec, state }: RolloutRecord, work: KeyWork): string {
  switch (work.kind) {
    case 'take':
      return `step ${work.step + 1} of ${spec.steps.length}, ${countHosts(work.width, [])}`;
    case 'release':
      return `rolled back, ${state.reason}`;
    case 'settle':
      return 'completed';
  }
}

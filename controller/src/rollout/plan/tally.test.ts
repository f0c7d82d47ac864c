import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { DesiredState } from '#common/desired.ts';
import type { RolloutRecord } from '#common/rollout/rollout.ts';
import { evaluate } from '#common/targeting/evaluate.ts';
import { type KnownHost, stepHost } from '../../fleet/host.ts';
import { desired } from '../../testing/desired.ts';
import { observation, report } from '../../testing/fake-host.ts';
import {
  after,
  cohortStep,
  percentStep,
  rolloutRecord,
  rolloutSpec,
  START,
} from '../testing/rollouts.ts';
import { rank } from './ranked.ts';
import { rulesFor } from './rules.ts';
import { Tally } from './tally.ts';

const KEY = 'net.drop_icmp';
const SPEC = rolloutSpec({
  selector: 'tier=web',
  steps: [percentStep(50), cohortStep('canary', 'zone=a')],
});
const RUNNING = { phase: 'running' as const, startedAt: START, width: 2 };

function host(
  name: string,
  more: { zone?: string; tier?: string; keys?: string[]; heard?: Date } = {},
): KnownHost {
  const { zone = 'b', tier = 'web', keys = [KEY], heard = START } = more;
  const said = { kind: 'status', report: report(name, { zone, tier }, keys) } as const;
  const known = stepHost(undefined, said, heard).host;
  assert.ok(known);
  return known;
}

function keyWith(record: RolloutRecord, hosts: readonly KnownHost[], width: number): DesiredState {
  const { id, spec, state } = record;
  const reports = hosts.map((known) => known.report);
  const rules = rulesFor({
    id,
    spec,
    step: state.step,
    width,
    hosts: rank(KEY, reports),
    older: [],
  });
  return desired({ generation: 5n, rules });
}

function acked(
  known: KnownHost,
  key: DesiredState,
  outcome: 'applied' | 'failed',
  now = START,
): KnownHost {
  const { value } = evaluate(key, known.report);
  const said = observation(KEY, { generation: key.generation, outcome, value });
  const next = stepHost(
    known,
    { kind: 'ack', host: known.report.host, observation: said },
    now,
  ).host;
  assert.ok(next);
  return next;
}

test('those that the rollout concerns, and how far those taken are', () => {
  const fleet = ['h1', 'h2', 'h3', 'h4'].map((name) => host(name));
  const record = rolloutRecord(RUNNING, SPEC);
  const key = keyWith(record, fleet, 2);
  const others = [
    host('db', { tier: 'db' }),
    host('unbound', { keys: [] }),
    host('lost', { heard: after(-60_000) }),
  ];
  const tally = new Tally(record, key, [...others, ...fleet], START);
  assert.deepEqual(tally.seen().inForce, { step: 0, width: 2 });
  const counts = () => {
    const { eligible, goal, taken, applied, pending, failed, unavailable } = tally.seen().tally;
    return [eligible, goal, taken, applied, pending, failed, unavailable];
  };
  assert.deepEqual(counts(), [4, 2, 2, 0, 2, 0, 0]);
  const [first, second] = tally
    .seen()
    .tally.pendingHosts.map((name) => fleet.find(({ report: r }) => r.host === name));
  assert.ok(first && second);
  tally.update(acked(first, key, 'applied'), START);
  tally.update(acked(second, key, 'failed'), START);
  assert.deepEqual(counts(), [4, 2, 2, 1, 0, 1, 0]);
  assert.deepEqual(tally.seen().tally.failedHosts, [second.report.host]);
  tally.update(acked(second, key, 'applied', after(60_000)), after(60_000));
  tally.update(first, after(60_000));
  assert.deepEqual(
    counts(),
    [4, 2, 2, 1, 0, 0, 1],
    'silent since: unavailable, and it still counts',
  );
  tally.update(host('late'), START);
  assert.equal(tally.seen().tally.eligible, 5);
});

test('a cohort step is to reach who is taken already, and the cohort', () => {
  const fleet = ['a', 'a', 'b', 'b', 'b', 'b'].map((zone, i) => host(`h${i}`, { zone }));
  const before = rolloutRecord({ ...RUNNING, width: 3 }, SPEC);
  const key = keyWith(before, fleet, 3);
  const tally = new Tally(
    rolloutRecord({ ...RUNNING, step: 1, width: 3 }, SPEC),
    key,
    fleet,
    START,
  );
  const takenElsewhere = fleet.filter(
    ({ report: r }) => r.labels.zone === 'b' && evaluate(key, r).value,
  );
  assert.equal(tally.seen().tally.goal, 2 + takenElsewhere.length);
  assert.equal(tally.seen().step, 1);
});

test('without a rule in force, all that it concerns are counted; who binds nothing has nothing to undo', () => {
  const record = rolloutRecord({ ...RUNNING, phase: 'aborted', rollingBack: true }, SPEC);
  const key = desired({ generation: 6n });
  const fleet = [host('h1'), acked(host('h2'), key, 'applied')];
  const { inForce, tally } = new Tally(record, key, fleet, START).seen();
  assert.equal(inForce, undefined);
  assert.deepEqual([tally.eligible, tally.taken, tally.pending, tally.applied], [2, 0, 1, 1]);
  const unbound = new Tally(record, key, [host('h1', { keys: [] })], START).seen().tally;
  assert.deepEqual([unbound.eligible, unbound.pending, unbound.applied], [1, 0, 1]);
});

test('it is of one step and one generation', () => {
  const record = rolloutRecord(RUNNING, SPEC);
  const key = desired({ generation: 6n });
  const tally = new Tally(record, key, [], START);
  assert.ok(tally.isOf({ ...record, state: { ...record.state, phase: 'baking' } }, key));
  assert.ok(!tally.isOf({ ...record, state: { ...record.state, step: 1 } }, key));
  assert.ok(!tally.isOf(record, { ...key, generation: 7n }));
});

const names = fc.integer({ min: 0, max: 5 }).map((number) => `h${number}`);
const changes = fc.record({
  name: names,
  zone: fc.constantFrom('a', 'b'),
  tier: fc.constantFrom('web', 'web', 'db'),
  bound: fc.boolean(),
  outcome: fc.constantFrom('none' as const, 'applied' as const, 'failed' as const),
  heard: fc.constantFrom(after(-60_000), START, after(60_000)),
});

test('kept up to date, it is what it would be if counted anew', () => {
  fc.assert(
    fc.property(fc.array(changes, { maxLength: 30 }), fc.nat(1), (all, step) => {
      const record = rolloutRecord({ ...RUNNING, step }, SPEC);
      const everybody = [0, 1, 2, 3, 4, 5].map((i) => host(`h${i}`, { zone: i % 2 ? 'a' : 'b' }));
      const key = keyWith(record, everybody, 3);
      const fleet = new Map<string, KnownHost>();
      const kept = new Tally(record, key, [], START);
      for (const { name, zone, tier, bound, outcome, heard } of all) {
        const known = host(name, { zone, tier, keys: bound ? [KEY] : [], heard });
        const next = bound && outcome !== 'none' ? acked(known, key, outcome, heard) : known;
        fleet.set(name, next);
        kept.update(next, after(60_000));
        const anew = new Tally(record, key, fleet.values(), after(60_000)).seen();
        assert.deepEqual(sorted(kept.seen().tally), sorted(anew.tally));
      }
    }),
  );
});

function sorted(tally: object): object {
  return Object.fromEntries(
    Object.entries(tally).map(([name, it]) => [name, Array.isArray(it) ? it.sort() : it]),
  );
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Rule } from '#common/desired.ts';
import { isOver, type RolloutRecord } from '#common/rollout/rollout.ts';
import type { RolloutSpec } from '#common/rollout/spec.ts';
import {
  cohortStep,
  gate,
  hostsStep,
  percentStep,
  rolloutRecord,
  rolloutSpec,
} from '../testing/rollouts.ts';
import { Simulation } from '../testing/simulation.ts';
import type { RolloutEvent } from './event.ts';
import type { Outcome } from './step.ts';

/** Random lives of rollouts, over a fleet and a key that behave as badly as they may. */

const gates = fc.constantFrom([], [gate()], [gate({ count: 2, failureLimit: 1 }), gate()]);
const more = fc.record({ bakeMs: fc.constantFrom(0, 60_000), hold: fc.boolean(), gates });
const specs: fc.Arbitrary<RolloutSpec> = fc
  .record({
    steps: fc.tuple(more, more, more, more),
    reach: fc.constantFrom('percent', 'hosts', 'cohort', 'mixed'),
    onFailure: fc.constantFrom('rollback' as const, 'pause' as const),
    maxConcurrent: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
    maxFailed: fc.integer({ min: 0, max: 2 }),
    approvals: fc.integer({ min: 0, max: 1 }),
  })
  .map(({ steps: [a, b, c, d], reach, onFailure, maxConcurrent, maxFailed, approvals }) => {
    const steps = {
      percent: [percentStep(10, a), percentStep(50, b), percentStep(100, c)],
      hosts: [hostsStep(1, a), hostsStep(4, b)],
      cohort: [cohortStep('canary', 'zone=a', a), percentStep(60, b)],
      mixed: [
        percentStep(20, a),
        cohortStep('canary', 'zone=a', b),
        hostsStep(5, c),
        percentStep(100, d),
      ],
    }[reach];
    const { limits } = rolloutSpec();
    return rolloutSpec({
      steps,
      onFailure,
      approvals,
      limits: {
        ...limits,
        maxUnavailable: { kind: 'hosts', hosts: 1 },
        maxFailed: { kind: 'hosts', hosts: maxFailed },
        ...(maxConcurrent ? { maxConcurrent: { kind: 'hosts', hosts: maxConcurrent } } : {}),
      },
    });
  });

const by = { actor: 'bob', reason: '' };
const eventOf = (event: RolloutEvent) => (world: Simulation) => world.feed(event);
type Act = (world: Simulation) => Outcome | undefined;

const host = fc.integer({ min: 0, max: 9 }).map((number) => `h${number}`);
const quietly = (change: (world: Simulation) => void): Act => {
  return (world) => {
    change(world);
    return undefined;
  };
};
const operators = fc.constantFrom<RolloutEvent>(
  { kind: 'pause', ...by },
  { kind: 'resume', ...by },
  { kind: 'resume', ...by },
  { kind: 'promote', ...by, all: false },
  { kind: 'promote', ...by, all: false },
  { kind: 'skip-step', ...by },
  { kind: 'retry', ...by },
  { kind: 'killed', ...by },
  { kind: 'blocked', block: { reason: 'a freeze' } },
  { kind: 'blocked' },
  { kind: 'blocked' },
);
const rarely = fc.constantFrom<RolloutEvent>(
  { kind: 'promote', ...by, all: true },
  { kind: 'abort', ...by, rollback: false },
  { kind: 'abort', ...by, rollback: true },
  { kind: 'lease-lost' },
);
const said = fc.constantFrom('applied' as const, 'failed' as const);
const measured = fc.constantFrom('success' as const, 'success' as const, 'failure' as const);
const time = fc.constantFrom(0, 10_000, 60_000, 400_000);

const acts: fc.Arbitrary<Act> = fc.oneof(
  { weight: 9, arbitrary: fc.constant(quietly((world) => world.calm(1))) },
  { weight: 3, arbitrary: fc.constant<Act>((world) => world.seeHosts()) },
  { weight: 3, arbitrary: measured.map((it) => quietly((world) => world.carryOut(it))) },
  { weight: 3, arbitrary: time.map((ms) => quietly((world) => world.pass(ms))) },
  { weight: 3, arbitrary: fc.constant(eventOf({ kind: 'tick' })) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(host, said)
      .map(([name, it]) => quietly((world) => world.acknowledge(name, it))),
  },
  { weight: 1, arbitrary: host.map((name) => quietly((world) => world.fallSilent(name))) },
  {
    weight: 1,
    arbitrary: host.map((name) => quietly((world) => world.join(`late-${name}`, { zone: 'a' }))),
  },
  { weight: 1, arbitrary: host.map((name) => quietly((world) => world.leave(name))) },
  { weight: 1, arbitrary: fc.constant<Act>((world) => world.crash()) },
  { weight: 4, arbitrary: operators.map(eventOf) },
  { weight: 1, arbitrary: rarely.map(eventOf) },
);

const keys = fc.constantFrom<readonly Rule[]>(
  [],
  [{ selector: 'zone=a', value: false }],
  [{ selector: '', value: true, portion: { percent: 10, threshold: 1n << 60n, salt: 'x' } }],
);

const lives = fc.record({
  spec: specs,
  rules: keys,
  acts: fc.array(acts, { maxLength: 60, size: 'max' }),
  size: fc.integer({ min: 0, max: 8 }),
});

function worldOf(spec: RolloutSpec, rules: readonly Rule[], size: number): Simulation {
  const world = new Simulation(rolloutRecord({}, spec), { rules });
  for (let i = 0; i < size; i++) world.join(`h${i}`, { zone: i % 3 === 0 ? 'a' : 'b' });
  world.feed({ kind: 'approve', actor: 'bob' });
  return world;
}

test('whatever happens', () => {
  fc.assert(
    fc.property(lives, ({ spec, rules, acts: all, size }) => {
      const world = worldOf(spec, rules, size);
      for (const act of all) {
        const before = world.record;
        const outcome = act(world);
        assertTransitions(before, world.record);
        assertWidth(before, world.record);
        if (outcome) assertHeldUp(outcome);
        assertOwned(world);
        if (world.record.state.phase === 'rolled-back' && before.state.phase !== 'rolled-back') {
          assert.deepEqual(world.key.rules, rules, 'rolled back to what it was');
        }
      }
    }),
    { numRuns: 400 },
  );
});

test('a driver that dies anywhere leaves no trace: the next one comes to the same end', () => {
  fc.assert(
    fc.property(lives, ({ spec, rules, acts: all, size }) => {
      const world = worldOf(spec, rules, size);
      for (const act of all) act(world);
      const heir = world.copy();
      heir.crash();
      world.calm(40);
      heir.calm(40);
      const { phase, step, width } = world.record.state;
      const inherited = heir.record.state;
      assert.deepEqual([inherited.phase, inherited.step, inherited.width], [phase, step, width]);
      assert.deepEqual(heir.key.rules, world.key.rules);
      assert.equal(heir.key.defaultValue, world.key.defaultValue);
      assertEnd(world);
      assertOwned(world);
    }),
    { numRuns: 200 },
  );
});

/** A rule of the rollout in the key has an owner that says so. */
function assertOwned({ key, record }: Simulation): void {
  const inForce = key.rules.some(({ rollout }) => rollout !== undefined);
  if (inForce) assert.ok(!isOver(record.state), `over, with rules in force: ${record.state.phase}`);
}

/** With everything well, only what waits for people does not end. */
function assertEnd({ record: { state, approval } }: Simulation): void {
  const waits =
    state.phase === 'paused' ||
    state.blocked !== undefined ||
    (state.phase === 'aborted' && !state.rollingBack) ||
    (state.phase === 'planned' && approval.required > state.approvals.length);
  assert.ok(waits || isOver(state), `stuck: ${state.phase} ${state.step}`);
}

function assertWidth(before: RolloutRecord, { state }: RolloutRecord): void {
  if (state.width >= before.state.width) return;
  assert.deepEqual([before.state.phase, state.phase, state.width], ['aborted', 'rolled-back', 0]);
}

/** Blocked, paused or over, no host is taken in. */
function assertHeldUp({ record: { state }, effects }: Outcome): void {
  const taking = effects.some(({ kind }) => kind === 'take');
  const going = ['running', 'baking', 'gating'].includes(state.phase);
  if (taking) assert.ok(going && !state.blocked, `takes while ${state.phase}`);
}

/** Each change of phase is told of, and nobody passes a gate unseen. */
function assertTransitions(before: RolloutRecord, after: RolloutRecord): void {
  const last = before.transitions.at(-1)?.sequence ?? 0;
  const fresh = after.transitions.filter(({ sequence }) => sequence > last);
  assert.ok(after.transitions.length <= 100);
  let { phase } = before.state;
  for (const [index, { sequence, from, to, event, actor }] of fresh.entries()) {
    assert.equal(sequence, last + 1 + index);
    assert.equal(from, phase);
    phase = to;
    if (event === 'passed') {
      assert.equal(actor, 'skein');
      assert.equal(from, 'gating');
    }
  }
  assert.equal(phase, after.state.phase);
  assertCompleted(after);
}

/** Each step of a completed rollout was passed, or somebody sent it on. */
function assertCompleted({ state, spec, transitions }: RolloutRecord): void {
  if (state.phase !== 'completed' || transitions[0]?.sequence !== 1) return;
  const begun = transitions.findLastIndex(
    ({ from }) => from === 'rolled-back' || from === 'planned',
  );
  const life = transitions.slice(begun);
  if (
    life.some(
      ({ event, to, step }) =>
        event === 'promote' && to === 'running' && step === spec.steps.length,
    )
  )
    return;
  for (const at of spec.steps.keys()) {
    const left = life.find(({ step, to }) => step === at + 1 && to === 'running');
    const passed = left?.event === 'passed' && left.actor === 'skein';
    assert.ok(left && (passed || left.actor === 'bob'), `step ${at} was left by ${left?.event}`);
  }
}

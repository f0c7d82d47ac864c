import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProgramReport } from '#common/observed.ts';
import { type KnownHost, stepHost } from '../../fleet/host.ts';
import { desired } from '../../testing/desired.ts';
import { report } from '../../testing/fake-host.ts';
import {
  after,
  cohortStep,
  gate,
  hostsStep,
  MINUTE,
  percentStep,
  rolloutSpec,
  START,
} from '../testing/rollouts.ts';
import { previewOf } from './preview.ts';

const KEY = 'net.drop_icmp';

function host(
  name: string,
  zone = 'b',
  programs: readonly string[] = [],
  heard = START,
): KnownHost {
  const said = { ...report(name, { zone }, [KEY]), programs: programs.map(program) };
  const known = stepHost(undefined, { kind: 'status', report: said }, heard).host;
  assert.ok(known);
  return known;
}

function program(name: string): ProgramReport {
  return {
    unit: 'guard',
    program: name,
    type: 'xdp',
    attachPoint: 'xdp eth0',
    tier: 'dynamic',
    programId: 1,
    sites: name === 'plain' ? 0 : 2,
    variants: 1,
    variantBytes: 0,
    bytesSaved: 0,
    tierReason: '',
    statistics: {
      verifiedInstructions: 0,
      verificationTimeUs: 0,
      stackDepthBytes: 0,
      totalStates: 0,
      peakStates: 0,
      xlatedBytes: 0,
      jitedBytes: 0,
    },
    staticKeys: {},
  };
}

const FLEET = Array.from({ length: 10 }, (_, i) =>
  host(`h${i}`, i < 2 ? 'a' : 'b', i < 3 ? ['guard_xdp', 'plain'] : ['guard_xdp', 'guard_tc']),
);
const context = { desired: desired({ name: KEY }), hosts: FLEET, now: START };

test('steps, whom they add, and whose programs are concerned', () => {
  const steps = [cohortStep('canary', 'zone=a'), percentStep(50), hostsStep(6), percentStep(100)];
  const plan = previewOf(rolloutSpec({ steps }), context);
  assert.deepEqual(
    plan.steps.map(({ title, hosts, added }) => [title, hosts, added]),
    [
      ['cohort canary', 2, 2],
      ['50%', 5, 3],
      ['6 hosts', 6, 1],
      ['100%', 10, 4],
    ],
  );
  assert.deepEqual([...(plan.steps[0]?.addedHosts ?? [])].sort(), ['h0', 'h1']);
  assert.deepEqual([plan.fleet, plan.bound, plan.eligible, plan.changed], [10, 10, 10, 10]);
  assert.deepEqual(plan.programs, ['guard/guard_xdp on 10 hosts', 'guard/guard_tc on 7 hosts']);
  assert.deepEqual(plan.warnings, []);
});

test('only hosts whose value changes are changed', () => {
  const some = desired({ name: KEY, rules: [{ selector: 'zone=a', value: true }], kill: false });
  const plan = previewOf(rolloutSpec(), { ...context, desired: some });
  assert.equal(plan.changed, 8);
  const all = previewOf(rolloutSpec({ value: false }), context);
  assert.deepEqual(all.warnings, ['no host changes: each has off already']);
});

test('what an operator should know', () => {
  const steps = [percentStep(1), cohortStep('nobody', 'zone=c'), percentStep(50), hostsStep(20)];
  const windows = [{ days: [], from: '09:00', to: '17:00', timeZone: 'UTC' }];
  const lost = [host('gone', 'b', [], after(-MINUTE))];
  const freeze = { actor: 'carol', reason: 'holiday', since: START };
  const plan = previewOf(rolloutSpec({ steps, windows }), {
    ...context,
    desired: desired({ name: KEY, kill: false }),
    hosts: [...FLEET, ...lost],
    freeze,
  });
  assert.deepEqual(plan.warnings, [
    'the line is stopped by carol (holiday): nothing starts before that is lifted',
    'net.drop_icmp is killed (off): a rollout of it starts once it is revived',
    '1 host is not live and not counted (gone); rules reach them when they come back',
    'step 1 (1%) of 10 hosts is 10%',
    'step 2 (cohort nobody) adds no host',
    'step 4 (20 hosts) is more than the 10 there are',
    'it waits for its window, which opens at 2026-01-01T09:00:00.000Z',
  ]);
});

test('a fleet without the key, and no fleet at all', () => {
  const unbound = FLEET.map((known) => ({ ...known, observations: new Map() }));
  const plan = previewOf(rolloutSpec(), { ...context, hosts: unbound });
  assert.deepEqual([plan.bound, plan.eligible], [0, 10]);
  assert.deepEqual(plan.warnings, ['no host binds net.drop_icmp: no host will acknowledge']);
  assert.deepEqual(previewOf(rolloutSpec(), { ...context, hosts: [] }).warnings, [
    'no host binds net.drop_icmp: no host will acknowledge',
    'there is no live host that it concerns: it will wait for one, then pause',
  ]);
});

test('how long it takes at least', () => {
  const slow = gate({ initialDelayMs: 30_000, intervalMs: MINUTE, count: 3 });
  const steps = [percentStep(50, { bakeMs: MINUTE, gates: [slow] }), percentStep(100)];
  const windows = [{ days: [], from: '00:00', to: '12:00', timeZone: 'UTC' }];
  assert.equal(previewOf(rolloutSpec({ steps }), context).shortestMs, 3.5 * MINUTE);
  const waits = { steps, windows, startAt: after(13 * 60 * MINUTE) };
  const wait = 24 * 60 * MINUTE;
  assert.equal(previewOf(rolloutSpec(waits), context).shortestMs, wait + 3.5 * MINUTE);
});

test('a key that nobody binds is in no program', () => {
  const spec = rolloutSpec({ key: 'net.unbound' });
  const context = {
    desired: desired({ name: 'net.unbound' }),
    hosts: [host('a', 'a', ['ingress'])],
    now: START,
  };
  assert.deepEqual(previewOf(spec, context).programs, []);
});

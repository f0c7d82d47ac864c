import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Rule } from '#common/desired.ts';
import type { RolloutSpec } from '#common/rollout/spec.ts';
import { evaluate } from '#common/targeting/evaluate.ts';
import { desired } from '../../testing/desired.ts';
import { cohortStep, hostsStep, percentStep, rolloutSpec } from '../testing/rollouts.ts';
import { cohortSelectors } from './goals.ts';
import { planSteps } from './planned-steps.ts';
import { type Ranked, rank, takes } from './ranked.ts';
import { inForceOf, rulesFor } from './rules.ts';

const zones = fc.constantFrom('a', 'b', 'c');
const fleet = fc
  .uniqueArray(fc.tuple(fc.nat(9_999), zones), { selector: ([number]) => number, maxLength: 40 })
  .map((hosts) => hosts.map(([number, zone]) => ({ host: `h${number}`, labels: { zone } })));
const step = fc.oneof(
  fc.integer({ min: 1, max: 100 }).map((percent) => percentStep(percent)),
  fc.integer({ min: 1, max: 40 }).map((hosts) => hostsStep(hosts)),
  zones.map((zone) => cohortStep(zone, `zone=${zone}`)),
  fc.constant(cohortStep('two', 'zone in (a,b)')),
);
const specs = fc
  .record({
    steps: fc.array(step, { minLength: 1, maxLength: 4 }),
    selector: fc.constantFrom('', 'zone!=c'),
  })
  .map((parts) => rolloutSpec(parts));

function rankedFor(
  { key, selector }: RolloutSpec,
  hosts: readonly { host: string; labels: Record<string, string> }[],
) {
  return rank(
    key,
    hosts.filter(({ labels }) => selector === '' || labels.zone !== 'c'),
  );
}

function names(hosts: readonly Ranked[], rules: readonly Rule[]): string[] {
  return hosts.filter(takes(rules)).map(({ host }) => host);
}

/** Widens host by host, as waves may, up to what each step reaches. */
function* waves(spec: RolloutSpec, hosts: readonly Ranked[]) {
  let width = 0;
  let rules: readonly Rule[] = [];
  for (const [at, { hosts: goal }] of planSteps(spec, hosts).steps.entries()) {
    do {
      if (width < goal) width++;
      const older = rules;
      rules = rulesFor({ id: 'r', spec, step: at, width, hosts, older });
      yield { at, width, older, rules };
    } while (width < goal);
  }
}

test('each wave takes in exactly as many hosts as asked, and evicts none', () => {
  fc.assert(
    fc.property(specs, fleet, (spec, all) => {
      const hosts = rankedFor(spec, all);
      for (const { at, width, older, rules } of waves(spec, hosts)) {
        const taken = names(hosts, rules);
        assert.equal(taken.length, width, `step ${at}`);
        const before = names(hosts, older);
        assert.ok(
          before.every((host) => taken.includes(host)),
          `evicted at step ${at}, ${width}`,
        );
        assert.ok(width === 0 || inForceOf(rules, 'r')?.width === width);
      }
    }),
  );
});

test('cohorts come first, in their order', () => {
  fc.assert(
    fc.property(specs, fleet, (spec, all) => {
      const hosts = rankedFor(spec, all);
      const mixed = spec.steps.some(({ reach }, i) => i > 0 && reach.kind === 'cohort');
      if (mixed) return;
      for (const { at, rules } of waves(spec, hosts)) {
        const inCohort = takes(
          cohortSelectors(spec, at).map((selector) => ({ selector, value: true })),
        );
        const taken = hosts.filter(takes(rules));
        if (taken.every(inCohort)) continue;
        assert.ok(hosts.filter(inCohort).every((host) => taken.includes(host)));
      }
    }),
  );
});

test('agents that evaluate the rules take in the very same hosts', () => {
  fc.assert(
    fc.property(specs, fleet, (spec, all) => {
      const hosts = rankedFor(spec, all);
      for (const { rules } of waves(spec, hosts)) {
        const state = desired({ name: spec.key, rules });
        const on = all.filter((target) => evaluate(state, target).value).map(({ host }) => host);
        assert.deepEqual(new Set(on), new Set(names(hosts, rules)));
      }
    }),
    { numRuns: 50 },
  );
});

test('hosts that come and go evict nobody who stays', () => {
  fc.assert(
    fc.property(specs, fleet, fleet, (spec, first, second) => {
      const early = rankedFor(spec, first);
      const late = rankedFor(spec, [
        ...first.filter((_, i) => i % 3 !== 0),
        ...second.filter(({ host }) => !first.some((known) => known.host === host)),
      ]);
      let rules: readonly Rule[] = [];
      let width = 0;
      for (const at of spec.steps.keys()) {
        const hosts = at === 0 ? early : late;
        const before = names(hosts, rules);
        const goal = planSteps(spec, hosts).steps[at]?.hosts ?? 0;
        width = Math.max(width, goal);
        rules = rulesFor({ id: 'r', spec, step: at, width, hosts, older: rules });
        const after = names(hosts, rules);
        assert.ok(before.every((host) => after.includes(host)));
        const onlyCohorts = spec.steps
          .slice(0, at + 1)
          .every(({ reach }) => reach.kind === 'cohort');
        if (!onlyCohorts) assert.ok(after.length >= Math.min(width, hosts.length));
        assert.ok(after.length <= Math.max(width, before.length));
      }
    }),
  );
});

test('every percentage of every small fleet is exact', () => {
  for (let size = 1; size <= 40; size++) {
    const hosts = rank(
      'k',
      Array.from({ length: size }, (_, i) => ({ host: `h${i}`, labels: {} })),
    );
    for (let percent = 1; percent <= 100; percent++) {
      const spec = rolloutSpec({ key: 'k', steps: [percentStep(percent)] });
      const { steps, taken } = planSteps(spec, hosts);
      const expected = Math.max(1, Math.round((size * percent) / 100));
      assert.deepEqual(
        [steps[0]?.hosts, taken.length],
        [expected, expected],
        `${percent} % of ${size}`,
      );
    }
  }
});

const old = Array.from({ length: 200 }, (_, i) => ({ host: `old-${i}`, labels: { zone: 'b' } }));
const joiners = Array.from({ length: 4_000 }, (_, i) => ({
  host: `new-${i}`,
  labels: { zone: i % 4 === 0 ? 'a' : 'b' },
}));

function joinersTaken(spec: RolloutSpec, step: number, width: number, known = old): Ranked[] {
  const rules = rulesFor({ id: 'r', spec, step, width, hosts: rank(spec.key, known), older: [] });
  return rank(spec.key, joiners).filter(takes(rules));
}

test('where joiners land', () => {
  const quarter = joinersTaken(rolloutSpec({ steps: [percentStep(25)] }), 0, 50).length;
  assert.ok(quarter > 800 && quarter < 1_200, `in proportion: ${quarter}`);
  const all = joinersTaken(rolloutSpec({ steps: [percentStep(100)] }), 0, 200).length;
  assert.equal(all, 4_000, 'the last step takes in whoever comes');
  const cohort = joinersTaken(rolloutSpec({ steps: [cohortStep('canary', 'zone=a')] }), 0, 1);
  assert.equal(cohort.length, 1_000, 'whoever joins a cohort that is in');
});

function thresholdOf(spec: RolloutSpec, width: number, known: typeof old): bigint {
  const hosts = rank(spec.key, known);
  const [rule] = rulesFor({ id: 'r', spec, step: 0, width, hosts, older: [] });
  return rule?.portion?.threshold ?? 0n;
}

test('waves and numbers of hosts take in no more than they must, percentages their share of joiners', () => {
  const half = rolloutSpec({ steps: [percentStep(50)] });
  const one = rolloutSpec({ steps: [hostsStep(1)] });
  assert.equal(thresholdOf(half, 99, old), thresholdOf(one, 99, old));
  // Between two hosts there is room for half of all hashes, mostly.
  const pairs = Array.from({ length: 20 }, (_, i) => old.slice(i, i + 2));
  const shares = pairs.map((pair) => [thresholdOf(one, 1, pair), thresholdOf(half, 1, pair)]);
  assert.ok(shares.every(([least = 0n, share = 0n]) => least <= share));
  assert.ok(shares.some(([, share]) => share === 1n << 62n));
});

test('the same again changes nothing, whoever came or went', () => {
  const spec = rolloutSpec();
  const rules = rulesFor({
    id: 'r',
    spec,
    step: 0,
    width: 100,
    hosts: rank(spec.key, old),
    older: [],
  });
  const other: Rule = { selector: 'zone=c', value: false };
  const again = rulesFor({
    id: 'r',
    spec,
    step: 0,
    width: 100,
    hosts: rank(spec.key, joiners),
    older: [...rules, other],
  });
  assert.deepEqual(again, rules);
});

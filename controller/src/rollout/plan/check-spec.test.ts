import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Gate, RolloutSpec, Step, Window } from '#common/rollout/spec.ts';
import {
  after,
  cohortStep,
  gate,
  hostsStep,
  percentStep,
  rolloutSpec,
  START,
} from '../testing/rollouts.ts';
import { checkSpec } from './check-spec.ts';

const CONTEXT = { cohorts: [{ name: 'canary', selector: 'zone = a' }], now: START };
const { limits } = rolloutSpec();

test('what makes sense comes back normalised, cohorts resolved', () => {
  const given = rolloutSpec({
    selector: ' tier==web ',
    steps: [
      cohortStep('canary', 'what a client made up'),
      percentStep(50),
      percentStep(50),
      hostsStep(7),
    ],
    startAt: after(-30_000),
  });
  const checked = checkSpec(given, CONTEXT);
  assert.equal(checked.selector, 'tier=web');
  assert.deepEqual(checked.steps[0]?.reach, {
    kind: 'cohort',
    cohort: 'canary',
    selector: 'zone=a',
  });
  assert.deepEqual(checkSpec(checked, CONTEXT), checked);
});

function withStep(step: Partial<Step>): Partial<RolloutSpec> {
  return { steps: [percentStep(100, step)] };
}

function withGate(more: Partial<Gate>): Partial<RolloutSpec> {
  return withStep({ gates: [gate(more)] });
}

function withWindow(more: Partial<Window>): Partial<RolloutSpec> {
  return { windows: [{ days: [], from: '09:00', to: '17:00', timeZone: 'UTC', ...more }] };
}

const prometheus = (more: object): Partial<Gate> => ({
  source: { kind: 'prometheus', query: 'up', hosts: { kind: 'all' }, ...more },
});
const range = (rangeMs: number, stepMs: number) =>
  prometheus({ range: { rangeMs, stepMs, reduction: 'last' } });
const compare = (alpha: number) =>
  ({
    ...prometheus({ hosts: { kind: 'compare', label: 'host', alpha, worse: 'higher' } }),
    success: undefined,
  }) as const;
const latency = (quantile?: number): Partial<Gate> => ({
  source: { kind: 'builtin', measure: 'flip-latency', quantile },
});

const REFUSED: readonly (readonly [what: string, Partial<RolloutSpec>, message: RegExp])[] = [
  ['no key', { key: '' }, /^key: is empty/],
  ['no steps', { steps: [] }, /^steps: there are none/],
  [
    'too many steps',
    { steps: Array.from({ length: 101 }, () => percentStep(5)) },
    /^steps: there are 101/,
  ],
  ['0 %', { steps: [percentStep(0)] }, /^steps\[0\]\.percent: 0 is not above 0/],
  ['101 %', { steps: [percentStep(5), percentStep(101)] }, /^steps\[1\]\.percent: 101/],
  ['not a percentage', { steps: [percentStep(Number.NaN)] }, /^steps\[0\]\.percent: NaN/],
  [
    'backwards',
    { steps: [percentStep(5), percentStep(25), percentStep(10)] },
    /^steps\[2\]\.percent: 10 goes backwards, steps\[1\] reaches 25$/,
  ],
  [
    'backwards past a cohort',
    { steps: [percentStep(25), cohortStep('canary', ''), percentStep(10)] },
    /^steps\[2\]\.percent: 10 goes backwards, steps\[0\] reaches 25$/,
  ],
  ['no hosts', { steps: [hostsStep(0)] }, /^steps\[0\]\.hosts: 0 is not a whole number/],
  ['half a host', { steps: [hostsStep(1.5)] }, /^steps\[0\]\.hosts: 1\.5/],
  [
    'hosts backwards',
    { steps: [hostsStep(3), hostsStep(2)] },
    /^steps\[1\]\.hosts: 2 goes backwards, steps\[0\] reaches 3/,
  ],
  ['negative bake', withStep({ bakeMs: -1 }), /^steps\[0\]\.bake_ms: -1 is negative/],
  ['no bake', withStep({ bakeMs: Number.NaN }), /^steps\[0\]\.bake_ms: NaN/],
  ['endless bake', withStep({ bakeMs: 2 ** 32 }), /^steps\[0\]\.bake_ms: 4294967296/],
  ['negative approvals', { approvals: -1 }, /^approvals: -1/],
  [
    'negative limit',
    { limits: { ...limits, maxFailed: { kind: 'hosts', hosts: -1 } } },
    /^limits\.max_failed\.hosts: -1/,
  ],
  [
    'limit over 100 %',
    { limits: { ...limits, maxUnavailable: { kind: 'percent', percent: 101 } } },
    /^limits\.max_unavailable\.percent: 101/,
  ],
  [
    'nobody at a time',
    { limits: { ...limits, maxConcurrent: { kind: 'percent', percent: 0 } } },
    /^limits\.max_concurrent\.percent: 0 is not above 0/,
  ],
  [
    'no time to acknowledge',
    { limits: { ...limits, ackTimeoutMs: 0 } },
    /^limits\.ack_timeout_ms: 0/,
  ],
  [
    'a deadline within the bakes',
    { limits: { ...limits, deadlineMs: 119_999 } },
    /^limits\.deadline_ms: 119999 is less than the 120000 ms of all bakes/,
  ],
  ['a start in the past', { startAt: after(-60_001) }, /^start_at: .* is in the past/],
  ['no start', { startAt: new Date(Number.NaN) }, /^start_at: is no time/],
  ['a window without an end', withWindow({ to: '' }), /^windows\[0\]\.to: "" is no time of day/],
  ['a window at no time', withWindow({ from: '25:00' }), /^windows\[0\]\.from: "25:00"/],
  [
    'nowhere',
    withWindow({ timeZone: 'Mars/Olympus' }),
    /^windows\[0\]\.time_zone: "Mars\/Olympus"/,
  ],
  [
    'gates of one name',
    withStep({ gates: [gate(), gate()] }),
    /^steps\[0\]\.gates\[1\]\.name: "loss" names gates\[0\] already/,
  ],
  ['a nameless gate', withGate({ name: ' ' }), /^steps\[0\]\.gates\[0\]\.name: is empty/],
  ['no condition', withGate({ success: undefined }), /^steps\[0\]\.gates\[0\]: has no condition/],
  [
    'a bad condition',
    withGate({ success: 'below 3' }),
    /^steps\[0\]\.gates\[0\]\.success: "below 3" is no condition/,
  ],
  ['a bad failure', withGate({ failure: '> x' }), /^steps\[0\]\.gates\[0\]\.failure: /],
  [
    'measured without pause',
    withGate({ intervalMs: 0 }),
    /^steps\[0\]\.gates\[0\]\.interval_ms: 0/,
  ],
  [
    'a negative delay',
    withGate({ initialDelayMs: -5 }),
    /^steps\[0\]\.gates\[0\]\.initial_delay_ms: -5 is negative/,
  ],
  ['never measured', withGate({ count: 0 }), /^steps\[0\]\.gates\[0\]\.count: 0/],
  [
    'a negative number of failures',
    withGate({ failureLimit: -1 }),
    /^steps\[0\]\.gates\[0\]\.failure_limit: -1/,
  ],
  [
    'no query',
    withGate(prometheus({ query: ' ' })),
    /^steps\[0\]\.gates\[0\]\.prometheus\.query: is empty/,
  ],
  [
    'a step beyond the range',
    withGate(range(1_000, 2_000)),
    /^steps\[0\]\.gates\[0\]\.prometheus\.step_ms: 2000 is more than the range/,
  ],
  [
    'no host label',
    withGate(prometheus({ hosts: { kind: 'changed', label: '' } })),
    /prometheus\.host_label: is empty/,
  ],
  ['alpha of 1', withGate(compare(1)), /prometheus\.alpha: 1 is not between/],
  [
    'a comparison with a threshold',
    withGate({ ...compare(0.05), success: '< 1' }),
    /^steps\[0\]\.gates\[0\]\.success: has no effect in a comparison/,
  ],
  [
    'a comparison that fails above one',
    withGate({ ...compare(0.05), failure: '> 1' }),
    /^steps\[0\]\.gates\[0\]\.failure: has no effect in a comparison/,
  ],
  ['quantile of 0', withGate(latency(0)), /builtin\.quantile: 0 is not above 0/],
  ['no quantile', withGate(latency()), /builtin\.quantile: none is not/],
];

test('what makes no sense is refused, by field', async (t) => {
  for (const [what, more, message] of REFUSED) {
    await t.test(what, () => {
      const refused = { code: 'SKEIN_BAD_ROLLOUT', message };
      assert.throws(() => checkSpec(rolloutSpec(more), CONTEXT), refused);
    });
  }
});

test('what is not there, and what does not parse', () => {
  const unknown = rolloutSpec({ steps: [percentStep(5), cohortStep('nobody', '')] });
  const notFound = { code: 'SKEIN_COHORT_NOT_FOUND', message: 'steps[1].cohort: "nobody"' };
  assert.throws(() => checkSpec(unknown, CONTEXT), notFound);
  const selector = { code: 'SKEIN_BAD_SELECTOR', message: /^selector: selector "a=\(": expected/ };
  assert.throws(() => checkSpec(rolloutSpec({ selector: 'a=(' }), CONTEXT), selector);
});

test('a comparison needs no condition, a latency has its quantile, a range its step', () => {
  for (const fine of [compare(0.05), latency(0.99), range(60_000, 1_000)]) {
    checkSpec(rolloutSpec(withGate(fine)), CONTEXT);
  }
});

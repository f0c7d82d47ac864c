import fc from 'fast-check';
import { OUTCOMES, type RolloutRecord } from '../rollout.ts';
import type { Amount, Gate, GateSource, RolloutSpec, Step } from '../spec.ts';

/** Every form that a rollout can have on the wire; most of them make no sense. */

const uint32 = fc.nat();
const positive = fc.nat().map((number) => number + 1);
const time = fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true });
const some = { maxLength: 3 };
const text = fc.string({ minLength: 1 });
const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record<T>(model, { noNullPrototype: true });
/** The first fields, each of the others there or not. */
const optional = <T, U>(
  needed: { [K in keyof T]: fc.Arbitrary<T[K]> },
  others: { [K in keyof U]: fc.Arbitrary<U[K]> },
) =>
  fc
    .tuple(
      record<T>(needed),
      fc.record<U, never>(others, { requiredKeys: [], noNullPrototype: true }),
    )
    .map(([always, sometimes]) => ({ ...always, ...sometimes }));

const percent = fc.double({ min: 0, max: 100, noNaN: true }).map((number) => number + 0);
const amount: fc.Arbitrary<Amount> = fc.oneof(
  record({ kind: fc.constant('percent' as const), percent }),
  record({ kind: fc.constant('hosts' as const), hosts: uint32 }),
);

const fraction = fc.double({ min: 0.001, max: 1, noNaN: true });
const sampleHosts = fc.oneof(
  record({ kind: fc.constant('all' as const) }),
  record({ kind: fc.constant('changed' as const), label: text }),
  record({
    kind: fc.constant('compare' as const),
    label: text,
    alpha: fraction,
    worse: fc.constantFrom('higher' as const, 'lower' as const),
  }),
);
const source: fc.Arbitrary<GateSource> = fc.oneof(
  optional(
    { kind: fc.constant('prometheus' as const), query: fc.string(), hosts: sampleHosts },
    {
      range: record({
        rangeMs: positive,
        stepMs: positive,
        reduction: fc.constantFrom('average', 'minimum', 'maximum', 'last'),
      }),
    },
  ),
  optional(
    {
      kind: fc.constant('builtin' as const),
      measure: fc.constantFrom(
        'host-failures',
        'verifier-failures',
        'flip-latency',
        'missing-acks',
      ),
    },
    { quantile: fraction },
  ),
);
const missingPolicy = fc.constantFrom('pause', 'fail', 'ignore');
const gate: fc.Arbitrary<Gate> = optional(
  {
    name: fc.string(),
    source,
    intervalMs: positive,
    initialDelayMs: uint32,
    count: positive,
    failureLimit: uint32,
    inconclusiveLimit: uint32,
    missingLimit: uint32,
    onNoData: missingPolicy,
    onError: missingPolicy,
  },
  { success: text, failure: text },
);
const step: fc.Arbitrary<Step> = record({
  reach: fc.oneof(
    amount,
    record({
      kind: fc.constant('cohort' as const),
      cohort: fc.string(),
      selector: fc.string(),
    }),
  ),
  bakeMs: uint32,
  gates: fc.array(gate, some),
  hold: fc.boolean(),
});

export const anySpec: fc.Arbitrary<RolloutSpec> = optional(
  {
    key: fc.string(),
    value: fc.boolean(),
    selector: fc.string(),
    steps: fc.array(step, { minLength: 1, maxLength: 3 }),
    limits: optional(
      { maxUnavailable: amount, maxFailed: amount, ackTimeoutMs: positive },
      { maxConcurrent: amount, deadlineMs: positive },
    ),
    windows: fc.array(
      record({
        days: fc.subarray(['mon', 'tue', 'sun'] as const),
        from: fc.string(),
        to: fc.string(),
        timeZone: text,
      }),
      some,
    ),
    approvals: uint32,
    description: fc.string(),
    onFailure: fc.constantFrom('rollback', 'pause'),
  },
  { startAt: time },
);

const paused = fc.constantFrom('planned', 'running', 'baking', 'gating');
const phase = fc.oneof(paused, fc.constantFrom('paused', 'aborted', 'rolled-back', 'completed'));
const measurement = optional(
  {
    outcome: fc.constantFrom(...OUTCOMES),
    time,
    detail: fc.string(),
  },
  { value: fc.double(), pValue: fraction },
);

export const anyRecord: fc.Arbitrary<RolloutRecord> = record({
  id: fc.string(),
  spec: anySpec,
  state: optional(
    {
      phase,
      since: time,
      step: uint32,
      width: uint32,
      gates: fc.array(
        optional(
          {
            verdict: fc.constantFrom('open', 'passed', 'failed'),
            succeeded: uint32,
            failed: uint32,
            inconclusive: uint32,
            ignored: uint32,
            missing: uint32,
            nextAt: time,
          },
          { last: measurement },
        ),
        some,
      ),
      rollingBack: fc.boolean(),
      reason: fc.string(),
      approvals: fc.array(record({ actor: fc.string(), time }), some),
    },
    {
      widenedAt: time,
      startedAt: time,
      bakeUntil: time,
      deadlineAt: time,
      pause: record({
        cause: fc.constantFrom(
          'operator',
          'hold',
          'killed',
          'unavailable',
          'missing-acks',
          'gate-inconclusive',
          'gate-no-data',
          'gate-error',
          'failure',
        ),
        reason: fc.string(),
        from: paused,
        bakeLeftMs: uint32,
      }),
      blocked: optional({ reason: text }, { until: time }),
    },
  ),
  transitions: fc.array(
    optional(
      {
        sequence: uint32,
        time,
        to: phase,
        step: uint32,
        actor: fc.string(),
        event: fc.string(),
        reason: fc.string(),
      },
      { from: phase },
    ),
    some,
  ),
  epoch: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  requestId: fc.string(),
  creator: fc.string(),
  createdAt: time,
  approval: optional(
    { required: uint32, approvers: fc.array(fc.string(), some) },
    { validMs: positive },
  ),
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DesiredState, Rule } from '#common/desired.ts';
import { hostHash } from '#common/targeting/portion.ts';
import { sampleDesired, sampleHost, sampleObservation } from '../testing/samples.ts';
import { explain, type Verdict } from './explain.ts';

const threshold = hostHash('s', 'web-1');
const outside: Rule = { selector: '', value: false, portion: { percent: 5, threshold, salt: 's' } };
const inside: Rule = { ...outside, portion: { percent: 5, threshold: threshold + 1n, salt: 's' } };
const elsewhere: Rule = { selector: 'zone=b', value: false };
const here: Rule = { selector: 'host=web-1', value: true };

test('every rule is told what it had to say', () => {
  const rulesOf = (rules: readonly Rule[], over: Partial<DesiredState> = {}) =>
    explain(sampleDesired({ rules, ...over }), sampleHost('web-1')).rules;
  assert.deepEqual(rulesOf([elsewhere, outside, here, inside]), [
    'selector does not match',
    'outside the portion',
    'decides',
    'not reached',
  ]);
  assert.deepEqual(rulesOf([inside, here]), ['decides', 'not reached']);
  assert.deepEqual(rulesOf([elsewhere, outside]), [
    'selector does not match',
    'outside the portion',
  ]);
  assert.deepEqual(rulesOf([here], { kill: true }), ['not reached']);
});

test('the decision is the one that agents make', () => {
  const decide = (over: Partial<DesiredState>) =>
    explain(sampleDesired(over), sampleHost('web-1')).decision;
  assert.deepEqual(decide({ rules: [elsewhere, here] }), {
    value: true,
    by: { kind: 'rule', index: 1, selector: 'host=web-1' },
  });
  assert.deepEqual(decide({ defaultValue: true }), { value: true, by: { kind: 'default' } });
  assert.deepEqual(decide({ rules: [here], kill: false }), { value: false, by: { kind: 'kill' } });
  assert.equal(decide({ deleted: true }), undefined);
});

test('desired and observed are compared, not mixed', () => {
  const desired = sampleDesired({ defaultValue: true });
  const withKey = (over: Parameters<typeof sampleObservation>[0]) =>
    sampleHost('web-1', { keys: [sampleObservation(over)] });
  const failed = {
    outcome: 'failed',
    error: { code: 'SKEIN_READBACK_MISMATCH', message: 'slot 0' },
  } as const;
  const cases: readonly (readonly [Verdict, ReturnType<typeof sampleHost>])[] = [
    ['in-sync', withKey({})],
    ['in-sync', withKey({ generation: 8n })],
    ['pending', withKey({ generation: 6n })],
    ['pending', withKey({ generation: 6n, ...failed })],
    ['failed', withKey(failed)],
    ['drifted', withKey({ value: false })],
    ['lost', { ...withKey({ value: false }), state: 'lost' }],
    ['not-bound', sampleHost('web-1', { keys: [] })],
    ['not-bound', sampleHost('web-1', { keys: [sampleObservation({ key: 'other' })] })],
  ];
  for (const [verdict, host] of cases) assert.equal(explain(desired, host).verdict, verdict);
});

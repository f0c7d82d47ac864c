import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DesiredState, Rule } from '#common/desired.ts';
import { sampleDesired } from '../testing/samples.ts';
import { describeChange, summariseRules } from './rules.ts';

const zoneA: Rule = { selector: 'zone=a', value: true };
const tenth: Rule = {
  selector: '',
  value: true,
  portion: { percent: 10, threshold: 1n << 60n, salt: 's' },
};

test('rules are shown while they are short', () => {
  assert.equal(summariseRules({ rules: [] }), '-');
  assert.equal(summariseRules({ rules: [zoneA], kill: false }), 'kill → off');
  assert.equal(summariseRules({ rules: [zoneA, tenth] }), 'zone=a → on; all hosts 10% → on');
  assert.equal(
    summariseRules({ rules: [zoneA, tenth, { ...zoneA, selector: 'env in (prod,stage)' }] }),
    '3 rules',
  );
});

test('a change is told by what differs', () => {
  const base = sampleDesired();
  const cases: readonly (readonly [DesiredState | undefined, Partial<DesiredState>, string])[] = [
    [undefined, { defaultValue: true }, 'created, default on'],
    [{ ...base, deleted: true }, {}, 'created, default off'],
    [base, { deleted: true }, 'deleted'],
    [base, { defaultValue: true }, 'default off → on'],
    [base, { rules: [zoneA] }, 'zone=a → on'],
    [{ ...base, rules: [zoneA] }, { rules: [{ ...zoneA, value: false }] }, 'zone=a → off'],
    [{ ...base, rules: [zoneA, tenth] }, { rules: [tenth] }, 'rule zone=a removed'],
    [{ ...base, rules: [zoneA] }, { defaultValue: true }, 'default off → on; rule zone=a removed'],
    [base, { kill: false }, 'killed, forced off'],
    [{ ...base, kill: false }, {}, 'kill lifted'],
    [base, { description: 'new' }, 'nothing changed'],
  ];
  for (const [before, over, text] of cases) {
    assert.equal(describeChange(before, sampleDesired(over)), text);
  }
});

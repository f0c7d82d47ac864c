import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { desiredState, type StateOptions, target, testUnit } from '../testing/fixtures.ts';
import type { Knowledge } from './desired-table.ts';
import { describeReason, desiredVector } from './desired-vector.ts';

const known = (options: StateOptions, confirmed = true): Knowledge => ({
  kind: 'state',
  state: desiredState('k', options),
  confirmed,
});

const CASES: {
  title: string;
  knowledge: Knowledge;
  /** alpha declares off, beta declares on; both are bound to the one fleet key. */
  expected: { alpha: boolean; beta: boolean };
  reason: string;
}[] = [
  {
    title: 'nothing known: as declared',
    knowledge: { kind: 'unknown' },
    expected: { alpha: false, beta: true },
    reason: 'k has no desired state',
  },
  {
    title: 'no such key: as declared',
    knowledge: { kind: 'absent' },
    expected: { alpha: false, beta: true },
    reason: 'k has no desired state',
  },
  {
    title: 'default',
    knowledge: known({ generation: 7, value: true }),
    expected: { alpha: true, beta: true },
    reason: 'k generation 7, default',
  },
  {
    title: 'a rule for this host',
    knowledge: known({ rules: [{ selector: 'zone=a', value: true }] }),
    expected: { alpha: true, beta: true },
    reason: 'k generation 1, rule 0 (zone=a)',
  },
  {
    title: 'a rule for other hosts',
    knowledge: known({ rules: [{ selector: 'zone=b', value: true }] }),
    expected: { alpha: false, beta: false },
    reason: 'k generation 1, default',
  },
  {
    title: 'kill beats rules',
    knowledge: known({ kill: false, value: true, rules: [{ selector: '', value: true }] }),
    expected: { alpha: false, beta: false },
    reason: 'k generation 1, kill',
  },
  {
    title: 'a tombstone: as declared, whatever it says besides',
    knowledge: known({ generation: 9, deleted: true, value: true, kill: true }),
    expected: { alpha: false, beta: true },
    reason: 'k generation 9, deleted, so as declared',
  },
];

describe('desiredVector', () => {
  const unit = testUnit('guard', { k: ['alpha', 'beta'] });

  for (const { title, knowledge, expected, reason } of CASES) {
    it(title, () => {
      const vector = desiredVector(unit, false, () => knowledge, target);
      assert.deepEqual([...vector.keys()], ['alpha', 'beta'], 'unbound keys are left alone');
      assert.equal(vector.get('alpha')?.value, expected.alpha);
      assert.equal(vector.get('beta')?.value, expected.beta);
      for (const { hold, because } of vector.values()) {
        assert.equal(hold, false);
        assert.equal(describeReason(because), reason);
      }
    });
  }

  it('an adopted unit is held until signed desired state is confirmed', () => {
    const held = (knowledge: Knowledge) =>
      desiredVector(unit, true, () => knowledge, target).get('alpha')?.hold;
    assert.equal(held({ kind: 'unknown' }), true);
    assert.equal(held(known({}, false)), true);
    assert.equal(held(known({}, true)), false);
    assert.equal(held({ kind: 'absent' }), true, 'no signature says so');
  });
});

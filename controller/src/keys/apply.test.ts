import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DesiredState } from '#common/desired.ts';
import { desired } from '../testing/desired.ts';
import { apply, HOSTS, NAME, rule, set } from '../testing/mutations.ts';
import type { ApplyMutation, DeclaredRule, Mutation } from './mutation.ts';
import { MAX_RULES, MAX_SELECTORS_LENGTH } from './rules.ts';

const declare = (rules: readonly DeclaredRule[] = [], defaultValue = false): ApplyMutation => ({
  action: 'apply',
  name: NAME,
  description: '',
  defaultValue,
  rules,
});

test('apply makes a key as declared, and changes one to what is declared', () => {
  const rules = [rule('a=b', true), rule('', false)];
  const made = apply(undefined, declare(rules, true));
  assert.deepEqual(
    [made.defaultValue, made.rules, made.change.action, made.deleted],
    [true, rules, 'apply', false],
  );
  const tombstone = desired({ deleted: true, kill: true, rules: [rule('x', true)], fence: 3n });
  const again = apply(tombstone, declare(rules, true));
  assert.deepEqual(again, { ...made, fence: 3n });
  const before = desired({ kill: true, description: 'old', rules: [rule('x', true)] });
  const changed = apply(before, declare(rules, true));
  assert.deepEqual(changed, { ...made, kill: true });
});

test('apply of what is so already gives back the state itself, whoever joined in between', () => {
  const declared = declare([
    { selector: 'zone=a', value: true, percent: 30 },
    { selector: 'a=b', value: true, percent: 100 },
  ]);
  const made = apply(undefined, declared);
  const joined = Array.from({ length: 40 }, (_, i) => ({ host: `new${i}`, labels: { zone: 'a' } }));
  assert.equal(apply(made, declared, [...HOSTS, ...joined]), made);
  const spelled = desired({ ...made, rules: [rule('a in (b)', true)] });
  assert.equal(apply(spelled, declare([rule('a=b', true)])), spelled);
});

test('what differs in any part is written, with thresholds that evict nobody', () => {
  const made = apply(undefined, declare([{ selector: '', value: true, percent: 30 }]));
  const cases: [ApplyMutation, Partial<DesiredState>?][] = [
    [declare([{ selector: '', value: true, percent: 30 }], true)],
    [declare([{ selector: '', value: false, percent: 30 }])],
    [declare([{ selector: 'a', value: true, percent: 30 }])],
    [declare([])],
    [declare([rule('a', true), { selector: '', value: true, percent: 30 }])],
    [{ ...declare([{ selector: '', value: true, percent: 30 }]), description: 'd' }],
    [
      declare([{ selector: '', value: true, percent: 30 }]),
      { expiry: { at: new Date(9), defaultValue: false, rules: [] } },
    ],
  ];
  for (const [mutation, before] of cases) {
    const after = apply({ ...made, generation: 6n, ...before }, mutation);
    assert.equal(after.generation, 7n, JSON.stringify(mutation));
    assert.equal(after.expiry, undefined);
  }
  const wide = { ...(made.rules[0]?.portion ?? assert.fail()), threshold: 1n << 62n };
  const older = desired({ ...made, rules: [{ selector: '', value: true, portion: wide }] });
  const widened = apply(older, declare([{ selector: '', value: true, percent: 40 }]));
  assert.ok((widened.rules[0]?.portion?.threshold ?? 0n) >= wide.threshold);
});

test('more than fits into a record is refused', () => {
  const long = 'a'.repeat(60);
  const many = Array.from({ length: MAX_RULES + 1 }, (_, i) => rule(`n=${i}`, true));
  const wordy = Array.from({ length: 200 }, (_, i) => ({
    selector: Array.from({ length: 12 }, (_, j) => `${long}=${i}-${j}`).join(','),
    value: true,
  }));
  assert.ok(wordy.reduce((sum, { selector }) => sum + selector.length, 0) > MAX_SELECTORS_LENGTH);
  for (const rules of [many, wordy]) {
    assert.throws(() => apply(undefined, declare(rules)), { code: 'SKEIN_INVALID_ARGUMENT' });
  }
  const full = desired({ rules: wordy.slice(0, 150) });
  assert.throws(() => apply(full, { ...set(true, 'z=1'), selector: `${'z,'.repeat(20_000)}z` }), {
    code: 'SKEIN_INVALID_ARGUMENT',
    message: /longer than/,
  });
  const overfull = desired({ rules: wordy });
  const kill: Mutation = { action: 'kill', name: NAME, value: false, all: false };
  assert.equal(apply(overfull, kill).kill, false, 'a kill is never refused for it');
});

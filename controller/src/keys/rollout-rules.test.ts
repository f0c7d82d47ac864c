import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { DesiredState, Rule } from '#common/desired.ts';
import { desired } from '../testing/desired.ts';
import { apply, NAME, rule, set } from '../testing/mutations.ts';
import type { Mutation, RolloutChange } from './mutation.ts';
import { rolloutOf } from './rollout-rules.ts';

const by = (change: RolloutChange, { rollout = 'r1', epoch = 5n } = {}): Mutation => ({
  action: 'rollout',
  name: NAME,
  rollout,
  epoch,
  change,
});
const marked = (plain: Rule, id = 'r1', width = 1): Rule => ({
  ...plain,
  rollout: { id, step: 0, width },
});
const take = (...rules: Rule[]): RolloutChange => ({ kind: 'take', rules });
const RELEASE: RolloutChange = { kind: 'release' };
const SETTLE: RolloutChange = { kind: 'settle' };
const code = (code: string) => ({ code });

const anyRule: fc.Arbitrary<Rule> = fc.record(
  {
    selector: fc.constantFrom('', 'a=b', 'a=b,c=d', 'zone in (x,y)', '!canary'),
    value: fc.boolean(),
    portion: fc.record({
      percent: fc.integer({ min: 0, max: 99 }),
      threshold: fc.bigInt({ min: 0n, max: 1n << 63n }),
      salt: fc.constant(NAME),
    }),
  },
  { requiredKeys: ['selector', 'value'], noNullPrototype: true },
);
const anyState = fc
  .record({ defaultValue: fc.boolean(), rules: fc.array(anyRule, { maxLength: 4 }) })
  .map((state) => desired({ ...state, expiry: { at: new Date(9), ...state } }));
const anyTakes = fc.array(
  fc.array(
    anyRule.map((plain) => marked(plain)),
    { maxLength: 3 },
  ),
  {
    maxLength: 4,
  },
);

test('a roll-back gives exactly what was there, whatever was taken', () => {
  fc.assert(
    fc.property(anyState, anyTakes, (before, takes) => {
      const taken = takes.reduce<DesiredState>(
        (state, rules) => apply(state, by(take(...rules))),
        before,
      );
      const { generation, change, fence, ...after } = apply(taken, by(RELEASE));
      const { generation: _, change: __, ...was } = before;
      assert.deepEqual(after, was);
    }),
  );
});

test('taken rules go first, in place of those of before; the same again writes nothing', () => {
  const before = desired({ rules: [rule('a=b', false)] });
  const one = apply(before, by(take(marked(rule('', true)))));
  assert.deepEqual(one.rules, [marked(rule('', true)), ...before.rules]);
  assert.equal(one.fence, 5n);
  assert.equal(apply(one, by(take(marked(rule('', true))))), one);
  const two = apply(one, by(take(marked(rule('x', true)), marked(rule('', true), 'r1', 2))));
  assert.deepEqual(two.rules, [
    marked(rule('x', true)),
    marked(rule('', true), 'r1', 2),
    ...before.rules,
  ]);
  assert.equal(apply(before, by(RELEASE)), before);
  assert.equal(apply(before, by(SETTLE)), before);
});

test('settled is what set would have made', () => {
  const selectors = fc.constantFrom('', 'a=b', 'zone in (x,y)');
  fc.assert(
    fc.property(anyState, selectors, fc.boolean(), (before, selector, value) => {
      const { expiry: _, ...state } = before;
      const settled = apply(apply(state, by(take(marked({ selector, value })))), by(SETTLE));
      const asSet = apply(state, set(value, selector));
      assert.deepEqual(
        [settled.defaultValue, settled.rules, settled.expiry],
        [asSet.defaultValue, asSet.rules, undefined],
      );
    }),
  );
});

test('settling over cohorts: what a wider rule takes in anyway goes', () => {
  const portion = { percent: 50, threshold: 1n << 62n, salt: NAME };
  const other = rule('x', false);
  const cases: [Rule[], Partial<DesiredState>][] = [
    [[rule('a=b', true), rule('', true)], { defaultValue: true, rules: [] }],
    [[rule('s=1,a=b', true), rule('s=1', true)], { rules: [rule('s=1', true), other] }],
    [
      [rule('a=b', true), rule('c=d', true)],
      { rules: [rule('a=b', true), rule('c=d', true), other] },
    ],
    [
      [rule('a=b', true), { ...rule('', true), portion }],
      { rules: [rule('a=b', true), { ...rule('', true), portion }, other] },
    ],
    [[rule('x', true)], { rules: [rule('x', true)] }],
  ];
  for (const [own, becomes] of cases) {
    const before = desired({ rules: [...own.map((plain) => marked(plain)), other] });
    const { defaultValue, rules } = apply(before, by(SETTLE));
    assert.deepEqual({ defaultValue, rules }, { defaultValue: false, ...becomes });
  }
});

test('an older lease, another rollout, and a rule without the mark are refused', () => {
  const taken = apply(desired(), by(take(marked(rule('', true)))));
  const takeOther = take(marked(rule('', true), 'r2'));
  const older = { epoch: 4n };
  for (const change of [take(), RELEASE, SETTLE]) {
    assert.throws(() => apply(taken, by(change, older)), code('SKEIN_LEASE_LOST'));
  }
  assert.throws(() => apply(taken, by(takeOther, { rollout: 'r2' })), {
    code: 'SKEIN_KEY_OWNED',
    message: /rollout r1 owns it$/,
  });
  assert.throws(() => apply(taken, by(RELEASE, { rollout: 'r2' })), code('SKEIN_KEY_OWNED'));
  assert.throws(() => apply(desired(), by(takeOther)), code('SKEIN_INTERNAL'));
  const gone = desired({ deleted: true });
  assert.throws(() => apply(gone, by(take())), code('SKEIN_KEY_NOT_FOUND'));
  assert.equal(rolloutOf(taken.rules), 'r1');
});

test('the fence goes up with the lease and outlives the key', () => {
  const taken = apply(desired(), by(take(marked(rule('', true)))));
  const released = apply(taken, by(RELEASE, { epoch: 8n }));
  assert.equal(released.fence, 8n);
  const gone = apply(released, { action: 'delete', name: NAME });
  const again = apply(gone, { action: 'create', name: NAME, description: '', defaultValue: false });
  assert.throws(() => apply(again, by(take(), { epoch: 7n })), code('SKEIN_LEASE_LOST'));
});

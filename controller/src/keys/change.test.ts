import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { DesiredState } from '#common/desired.ts';
import { inPortion } from '#common/targeting/portion.ts';
import { desired } from '../testing/desired.ts';
import { apply, HOSTS, NAME, rule, set, WHO } from '../testing/mutations.ts';
import type { Mutation } from './mutation.ts';
import { MAX_RULES } from './rules.ts';

test('set: default, rules and kill', async (t) => {
  const rules = [rule('a=b', true), rule('', false)];
  const cases: [string, Partial<DesiredState>, Mutation, Partial<DesiredState>][] = [
    ['no selector clears the rules', { rules }, set(true), { defaultValue: true, rules: [] }],
    [
      'and keeps kill',
      { rules, kill: false },
      set(true),
      { defaultValue: true, rules: [], kill: false },
    ],
    ['100 % of all is all', { rules }, set(true, '', 100), { defaultValue: true, rules: [] }],
    [
      'a selector goes first',
      { rules },
      set(true, 'c=d'),
      { rules: [rule('c=d', true), ...rules] },
    ],
    [
      'in place of the same',
      { rules },
      set(false, 'a=b'),
      { rules: [rule('a=b', false), rule('', false)] },
    ],
    [
      'a spelling apart',
      { rules: [rule('a in (b)', true)] },
      set(false, 'a=b'),
      { rules: [rule('a=b', false)] },
    ],
    ['100 % needs no portion', {}, set(true, 'a=b', 100), { rules: [rule('a=b', true)] }],
    [
      'the description stays',
      { description: 'd' },
      set(true),
      { defaultValue: true, description: 'd' },
    ],
  ];
  for (const [name, before, mutation, after] of cases) {
    await t.test(name, () => {
      const current = desired(before);
      const expected = { ...current, generation: 7n, change: { ...WHO, action: 'set' }, ...after };
      assert.deepEqual(apply(current, mutation), expected);
    });
  }
});

test('create, delete, and what is refused', () => {
  const create: Mutation = { action: 'create', name: NAME, description: 'd', defaultValue: true };
  const remove: Mutation = { action: 'delete', name: NAME };
  const created = apply(undefined, create);
  assert.deepEqual(
    [created.defaultValue, created.description, created.deleted],
    [true, 'd', false],
  );
  const gone = apply(created, remove);
  assert.equal(gone.deleted, true);
  const tombstone = desired({ ...gone, kill: true, rules: [rule('', true)] });
  assert.deepEqual(apply(tombstone, create), created);
  assert.throws(() => apply(created, create), { code: 'SKEIN_KEY_EXISTS' });
  for (const mutation of [remove, set(true)]) {
    assert.throws(() => apply(undefined, mutation), { code: 'SKEIN_KEY_NOT_FOUND' });
    assert.throws(() => apply(gone, mutation), { code: 'SKEIN_KEY_NOT_FOUND' });
  }
  const rules = Array.from({ length: MAX_RULES }, (_, i) => rule(`n=${i}`, true));
  assert.throws(() => apply(desired({ rules }), set(true, 'one=more')), {
    code: 'SKEIN_INVALID_ARGUMENT',
  });
  assert.equal(apply(desired({ rules }), set(false, 'n=3')).rules.length, MAX_RULES);
});

test('a percentage is of the hosts that match, exactly', () => {
  const taken = (state: DesiredState) =>
    HOSTS.filter(({ host }) => {
      const portion = state.rules[0]?.portion;
      return portion && inPortion(portion, host);
    }).map(({ host }) => host);
  const inZone = taken(apply(desired(), set(true, 'zone=a', 30))).filter(
    (h) => Number(h.slice(1)) < 10,
  );
  assert.equal(inZone.length, 3);
  assert.equal(taken(apply(desired(), set(true, '', 10))).length, 3);
  assert.equal(taken(apply(desired(), set(true, '', 0))).length, 0);
});

test('widening never evicts a host, whoever came or went in between', () => {
  const hosts = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,6}$/), { maxLength: 30 });
  const percents = fc.tuple(fc.integer({ min: 0, max: 99 }), fc.integer({ min: 0, max: 99 }));
  fc.assert(
    fc.property(hosts, hosts, percents, (before, after, [x, y]) => {
      const target = (host: string) => ({ host, labels: { zone: 'a' } });
      const [low, high] = x < y ? [x, y] : [y, x];
      const first = apply(desired(), set(true, 'zone=a', low), before.map(target));
      const second = apply(first, set(true, 'zone=a', high), after.map(target));
      const [narrow, wide] = [first.rules[0]?.portion, second.rules[0]?.portion];
      assert.ok(narrow && wide);
      assert.ok(wide.threshold >= narrow.threshold);
    }),
  );
});

test('narrowing, or the other value, starts from the rank alone', () => {
  const wide = apply(desired(), set(true, '', 90));
  for (const mutation of [set(true, '', 10), set(false, '', 90)]) {
    assert.deepEqual(apply(wide, mutation).rules, apply(desired(), mutation).rules);
  }
});

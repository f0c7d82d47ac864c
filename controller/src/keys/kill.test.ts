import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { DesiredState } from '#common/desired.ts';
import { desired } from '../testing/desired.ts';
import { apply, HOSTS, NAME, rule, WHO } from '../testing/mutations.ts';
import type { KillMutation, Mutation, ReviveMutation } from './mutation.ts';

const kill = (value: boolean, all = false): KillMutation => ({
  action: 'kill',
  name: NAME,
  value,
  all,
});
const revive = (all = false): ReviveMutation => ({ action: 'revive', name: NAME, all });

const rules = [rule('a=b', true), { ...rule('', true), rollout: { id: 'r', step: 0, width: 3 } }];
const expiry = { at: new Date(9), defaultValue: true, rules: [rule('c', true)] };
const before = desired({ rules, expiry, fence: 4n, description: 'd', defaultValue: true });
type Killed = Pick<DesiredState, 'kill' | 'killedByAll'>;
const killOf = ({ kill, killedByAll }: DesiredState): Killed => ({
  ...(kill === undefined ? {} : { kill }),
  ...(killedByAll ? { killedByAll } : {}),
});

test('a kill of one, a kill of all, and their ends: table', async (t) => {
  const cases: [string, Killed, Mutation, Killed | 'nothing'][] = [
    ['one', {}, kill(false), { kill: false }],
    ['one again', { kill: false }, kill(false), { kill: false }],
    ['one to the other value', { kill: false }, kill(true), { kill: true }],
    [
      'one that all killed becomes its own',
      { kill: true, killedByAll: {} },
      kill(true),
      { kill: true },
    ],
    ['revived', { kill: false }, revive(), {}],
    ['revived, not killed', {}, revive(), 'nothing'],
    ['all', {}, kill(false, true), { kill: false, killedByAll: {} }],
    ['all again', { kill: false, killedByAll: {} }, kill(false, true), 'nothing'],
    ['all, killed so already', { kill: false }, kill(false, true), 'nothing'],
    [
      'all, over its own',
      { kill: true },
      kill(false, true),
      { kill: false, killedByAll: { own: true } },
    ],
    [
      'all to the other value keeps its own',
      { kill: false, killedByAll: { own: true } },
      kill(true, true),
      { kill: true, killedByAll: { own: true } },
    ],
    ['all revived', { kill: false, killedByAll: {} }, revive(true), {}],
    [
      'all revived, its own comes back',
      { kill: false, killedByAll: { own: true } },
      revive(true),
      { kill: true },
    ],
    ['all revived, only its own', { kill: false }, revive(true), 'nothing'],
  ];
  for (const [name, was, mutation, becomes] of cases) {
    await t.test(name, () => {
      const current = { ...before, ...was };
      const after = apply(current, mutation);
      if (becomes === 'nothing') return assert.equal(after, current);
      assert.deepEqual(killOf(after), becomes);
      const change = { ...WHO, action: mutation.action };
      assert.deepEqual(after, { ...before, ...becomes, generation: 7n, change });
    });
  }
});

test('kills and their ends in any order leave default, rules, expiry and fence as they are', () => {
  const step = fc.oneof(
    fc.tuple(fc.boolean(), fc.boolean()).map(([value, all]) => kill(value, all)),
    fc.boolean().map(revive),
  );
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const after = steps.reduce<DesiredState>((state, mutation) => apply(state, mutation), before);
      const { generation, change, kill: _, killedByAll, ...rest } = after;
      const { generation: __, change: ___, ...was } = before;
      assert.deepEqual(rest, was);
      if (killedByAll) assert.notEqual(after.kill, undefined);
    }),
  );
});

test('a key that is made while all are killed is made killed, and revived with them', () => {
  const killAll = { value: true, actor: 'bob', reason: '', since: new Date(0) };
  const create: Mutation = { action: 'create', name: NAME, description: '', defaultValue: false };
  const declared: Mutation = { ...create, action: 'apply', rules: [] };
  for (const mutation of [create, declared]) {
    const made = apply(undefined, mutation, HOSTS, { killAll });
    assert.deepEqual(killOf(made), { kill: true, killedByAll: {} });
    assert.deepEqual(killOf(apply(made, revive(true))), {});
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DesiredState } from '#common/desired.ts';
import { desired } from '../testing/desired.ts';
import { apply, HOSTS, NAME, rule, set, WHO } from '../testing/mutations.ts';
import type { Mutation, SetMutation } from './mutation.ts';

const TTL = 60_000;
const rules = [rule('a=b', true)];
const before = desired({ rules });
const withTtl = (mutation: SetMutation): Mutation => ({ ...mutation, ttlMs: TTL });
const revert = (epoch = 1n): Mutation => ({ action: 'revert', name: NAME, epoch });
const at = (ms: number) => ({ change: { ...WHO, time: new Date(ms) } });
const expiry = { at: new Date(TTL), defaultValue: false, rules };

test('what was set for a time goes back to what was before, when that has passed', () => {
  for (const mutation of [set(true), set(true, 'c=d'), set(true, '', 40)]) {
    const state = apply(before, withTtl(mutation));
    assert.deepEqual(state, { ...apply(before, mutation), expiry });
    assert.equal(apply(state, revert(), HOSTS, at(TTL - 1)), state, 'not yet');
    const after = apply(state, revert(5n), HOSTS, at(TTL));
    assert.deepEqual(after, {
      ...before,
      generation: 7n,
      fence: 5n,
      change: { ...at(TTL).change, action: 'revert' },
    });
    assert.equal(apply(after, revert(5n), HOSTS, at(TTL)), after);
  }
});

test('a second time to live keeps what the first one was to go back to', () => {
  const twice = apply(
    apply(before, withTtl(set(true))),
    withTtl(set(false, 'x')),
    HOSTS,
    at(5_000),
  );
  assert.deepEqual(twice.expiry, { ...expiry, at: new Date(TTL + 5_000) });
});

test('what is set for good, applied or deleted goes back to nothing; kills do not touch it', () => {
  const state = apply(before, withTtl(set(true)));
  const applied: Mutation = {
    action: 'apply',
    name: NAME,
    description: '',
    defaultValue: true,
    rules: [],
  };
  const remove: Mutation = { action: 'delete', name: NAME };
  for (const mutation of [set(true), set(true, 'x'), applied, remove]) {
    assert.equal(apply(state, mutation).expiry, undefined);
  }
  const killed = apply(state, { action: 'kill', name: NAME, value: false, all: false });
  const reverted = apply(killed, revert(), HOSTS, at(TTL));
  assert.deepEqual([reverted.kill, reverted.rules, reverted.expiry], [false, rules, undefined]);
});

test('a driver of old reverts nothing, and a key of a rollout waits for its end', () => {
  const state: DesiredState = { ...apply(before, withTtl(set(true))), fence: 4n };
  assert.throws(() => apply(state, revert(3n), HOSTS, at(TTL)), { code: 'SKEIN_LEASE_LOST' });
  const marked = { ...rule('', true), rollout: { id: 'r', step: 0, width: 1 } };
  const taken = { ...state, rules: [marked] };
  assert.equal(apply(taken, revert(4n), HOSTS, at(TTL)), taken);
});

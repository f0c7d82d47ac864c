import assert from 'node:assert/strict';
import { test } from 'node:test';
import { desired } from '../testing/desired.ts';
import { apply, NAME, set, WHO } from '../testing/mutations.ts';
import type { Mutation } from './mutation.ts';
import { isResultOf } from './result-of.ts';

test('a state is known as the result of the mutation that made it, and of no other', () => {
  const mutations: Mutation[] = [
    { action: 'create', name: NAME, description: '', defaultValue: false },
    { action: 'create', name: NAME, description: '', defaultValue: true },
    { action: 'create', name: NAME, description: 'd', defaultValue: true },
    { action: 'delete', name: NAME },
    set(true),
    set(false),
    set(true, 'a=b'),
    set(true, 'a=c'),
    set(true, 'a=b', 5),
    set(true, 'a=b', 6),
    set(true, '', 5),
    { ...set(true), ttlMs: 60_000 },
    { ...set(true), ttlMs: 61_000 },
    { action: 'kill', name: NAME, value: true, all: false },
    { action: 'kill', name: NAME, value: false, all: false },
    { action: 'revive', name: NAME, all: false },
    { action: 'apply', name: NAME, description: '', defaultValue: true, rules: [] },
    { action: 'apply', name: NAME, description: 'd', defaultValue: true, rules: [] },
    ...[true, false].map(
      (value): Mutation => ({
        action: 'apply',
        name: NAME,
        description: '',
        defaultValue: true,
        rules: [{ selector: 'a=b', value, percent: 5 }],
      }),
    ),
  ];
  for (const made of mutations) {
    const state = apply(made.action === 'create' ? undefined : desired({ kill: true }), made);
    for (const asked of mutations) {
      assert.equal(isResultOf(state, asked, WHO), asked === made, JSON.stringify([made, asked]));
    }
    assert.equal(isResultOf(state, made, { ...WHO, actor: 'bob' }), false);
    assert.equal(isResultOf(state, made, { ...WHO, reason: 'other' }), false);
    assert.equal(isResultOf(state, { ...made, name: 'other' }, WHO), false);
  }
  assert.ok(isResultOf(apply(desired(), set(true, 'a=b', 100)), set(true, 'a=b'), WHO));
});

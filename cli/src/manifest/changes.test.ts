import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DesiredState } from '#common/desired.ts';
import { sampleControl, sampleKey } from '../testing/samples.ts';
import { type Change, changesBetween, standingObjects } from './changes.ts';
import type { Declaration } from './read-manifests.ts';

const key = (name: string, over: { defaultValue?: boolean; rules?: [] } = {}): Declaration => ({
  kind: 'FleetKey',
  name,
  spec: { description: 'drop ICMP echo', defaultValue: false, rules: [], ...over },
  place: 'a.yaml',
});
const cohort: Declaration = {
  kind: 'Cohort',
  name: 'canary',
  spec: { selector: 'tier=canary' },
  place: 'a.yaml',
};
const there = (...states: readonly Partial<DesiredState>[]) =>
  standingObjects(
    states.map((state) => sampleKey([], state)),
    sampleControl(),
  );
const told = (changes: readonly Change[]) =>
  changes.map(({ action, kind, name }) => `${action} ${kind} ${name}`);

test('what is missing is created, what differs is changed, the rest is left alone', () => {
  const standing = there({ name: 'a' }, { name: 'b' }, { name: 'gone', deleted: true });
  const declared = [key('new'), key('gone'), key('b', { defaultValue: true }), key('a'), cohort];
  assert.deepEqual(told(changesBetween(standing, declared, { prune: false })), [
    'change FleetKey b',
    'create FleetKey gone',
    'create FleetKey new',
  ]);
});

test('only prune deletes what is not declared, after all else', () => {
  const standing = there({ name: 'a' }, { name: 'b' });
  const declared = [key('new'), key('b')];
  assert.deepEqual(told(changesBetween(standing, declared, { prune: false })), [
    'create FleetKey new',
  ]);
  assert.deepEqual(told(changesBetween(standing, declared, { prune: true })), [
    'create FleetKey new',
    'delete Cohort canary',
    'delete FleetKey a',
  ]);
});

test('what holds for a while only is no difference: a kill, a running rollout, a time to live', () => {
  const standing = there(
    { name: 'killed', kill: true },
    {
      name: 'owned',
      rules: [{ selector: '', value: true, rollout: { id: 'ro-1', step: 0, width: 3 } }],
    },
    {
      name: 'expires',
      defaultValue: true,
      expiry: { at: new Date(0), defaultValue: false, rules: [] },
    },
  );
  const declared = [key('killed'), key('owned'), key('expires')];
  assert.deepEqual(told(changesBetween(standing, declared, { prune: false })), []);
});

test('the order of rules counts', () => {
  const rules = [
    { selector: 'a', value: true },
    { selector: 'b', value: false },
  ];
  const standing = there({ name: 'a', rules });
  const spec = { description: 'drop ICMP echo', defaultValue: false };
  const declare = (given: typeof rules): Declaration => {
    return { kind: 'FleetKey', name: 'a', spec: { ...spec, rules: given }, place: 'a.yaml' };
  };
  assert.deepEqual(changesBetween(standing, [declare(rules)], { prune: false }), []);
  const turned = changesBetween(standing, [declare(rules.toReversed())], { prune: false });
  assert.deepEqual(told(turned), ['change FleetKey a']);
});

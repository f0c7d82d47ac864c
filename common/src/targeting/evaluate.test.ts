import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DesiredState } from '../desired.ts';
import { evaluate } from './evaluate.ts';
import { portionByRank } from './portion.ts';

const base: DesiredState = {
  name: 'k',
  generation: 1n,
  defaultValue: false,
  rules: [],
  deleted: false,
  description: '',
  change: { action: 'set', actor: 'a', reason: '', requestId: '', time: new Date(0) },
};
const target = { host: 'web-1.example', labels: { zone: 'a', host: 'a liar' } };

test('kill, then the first rule that takes the host in, then the default', () => {
  const none = { selector: 'zone=a', value: true, portion: portionByRank(0, [target.host], 's') };
  const all = { selector: 'zone=a', value: true, portion: portionByRank(100, [target.host], 's') };
  const other = { selector: 'zone=b', value: true };
  const zone = { selector: 'zone=a', value: true };
  const any = { selector: '', value: false };
  const cases: [Partial<DesiredState>, boolean, string, number?][] = [
    [{}, false, 'default'],
    [{ defaultValue: true }, true, 'default'],
    [{ rules: [zone] }, true, 'rule', 0],
    [{ rules: [other, zone] }, true, 'rule', 1],
    [{ rules: [any, zone] }, false, 'rule', 0],
    [{ rules: [none, any] }, false, 'rule', 1],
    [{ rules: [all, any] }, true, 'rule', 0],
    [{ rules: [other], defaultValue: true }, true, 'default'],
    [{ rules: [zone], kill: false }, false, 'kill'],
    [{ kill: true }, true, 'kill'],
    [{ rules: [{ selector: 'host=web-1.example', value: true }] }, true, 'rule', 0],
    [{ rules: [{ selector: 'host', value: true }] }, true, 'rule', 0],
  ];
  for (const [state, value, kind, index] of cases) {
    const decision = evaluate({ ...base, ...state }, target);
    assert.equal(decision.value, value);
    assert.equal(decision.by.kind, kind);
    if (decision.by.kind === 'rule') assert.equal(decision.by.index, index);
  }
});

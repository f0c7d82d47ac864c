import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DesiredState } from '#common/desired.ts';
import type { AgentUnit } from './agent-unit.ts';
import type { Knowledge } from './desired-table.ts';
import { expectedFlips } from './expected-flips.ts';

const unit: AgentUnit = {
  spec: { name: 'u', object: new Uint8Array(), objectPath: 'u.o', attachments: [] },
  declared: new Map(),
  bindings: [
    { fleetKey: 'net.partial', staticKey: 'partial' },
    { fleetKey: 'net.partial', staticKey: 'partial_too' },
    { fleetKey: 'net.whole', staticKey: 'whole' },
    { fleetKey: 'net.owned', staticKey: 'owned' },
    { fleetKey: 'net.unknown', staticKey: 'unknown' },
  ],
  counters: [],
};

function state(name: string, rules: DesiredState['rules']): Knowledge {
  const change = {
    action: 'set',
    actor: '',
    reason: '',
    requestId: '',
    time: new Date(0),
  } as const;
  const base = { name, generation: 1n, defaultValue: false, deleted: false, description: '' };
  return { kind: 'state', state: { ...base, rules, change }, confirmed: true };
}

test('static keys of fleet keys that are on for a part of the hosts, or that a rollout owns', () => {
  const portion = { percent: 10, threshold: 5n, salt: 's' };
  const rollout = { id: 'r', step: 0, width: 3 };
  const known = new Map([
    ['net.partial', state('net.partial', [{ selector: '', value: true, portion }])],
    ['net.whole', state('net.whole', [{ selector: 'zone=a', value: true }])],
    ['net.owned', state('net.owned', [{ selector: 'zone=a', value: true, rollout }])],
  ]);
  const expected = expectedFlips(unit, (key) => known.get(key) ?? { kind: 'unknown' });
  assert.deepEqual([...expected], ['partial', 'partial_too', 'owned']);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { desired } from '../testing/desired.ts';
import { eventOf } from './event.ts';

const time = new Date('2026-01-01T00:00:00Z');
const who = { actor: 'alice', reason: 'why', time };

test('a transition is told with all that it says', () => {
  const transition = {
    ...who,
    sequence: 4,
    from: 'baking' as const,
    to: 'aborted' as const,
    step: 1,
    event: 'gate',
  };
  assert.deepEqual(eventOf({ kind: 'rollout', rollout: 'r', key: 'k', transition }), {
    type: 'rollout.transition',
    time: '2026-01-01T00:00:00.000Z',
    data: {
      rollout: 'r',
      key: 'k',
      sequence: 4,
      from: 'baking',
      to: 'aborted',
      step: 1,
      actor: 'alice',
      event: 'gate',
      reason: 'why',
    },
  });
});

test('a kill is told; what a rollout does to its key is not', () => {
  const state = desired({ kill: false, change: { ...who, action: 'kill', requestId: '' } });
  const told = eventOf({ kind: 'key', new: state });
  assert.equal(told?.type, 'key.kill');
  assert.equal(told?.data.kill, false);
  assert.equal(told?.data.actor, 'alice');
  assert.doesNotThrow(() => JSON.stringify(told));
  const moved = desired({ change: { ...who, action: 'rollout', requestId: '' } });
  assert.equal(eventOf({ kind: 'key', new: moved }), undefined);
});

test('a freeze is told', () => {
  const freeze = { actor: 'alice', reason: 'why', since: time };
  const note = { ...who, what: 'freeze', requestId: 'r' };
  const control = { generation: 1n, cohorts: [], freeze, note };
  assert.deepEqual(eventOf({ kind: 'control', new: control }), {
    type: 'control.change',
    time: '2026-01-01T00:00:00.000Z',
    data: { what: 'freeze', actor: 'alice', reason: 'why', frozen: true },
  });
});

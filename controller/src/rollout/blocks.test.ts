import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_CONTROL } from '#common/control/control.ts';
import { blockOf } from './blocks.ts';
import { rolloutRecord } from './testing/rollouts.ts';

test('a freeze blocks what goes on, and nothing that is given up', () => {
  const now = new Date(0);
  const freeze = { actor: 'alice', reason: 'fair', since: now };
  const frozen = { ...NO_CONTROL, freeze };
  const reasonIn = (phase: 'baking' | 'paused' | 'aborted') =>
    blockOf(rolloutRecord({ phase }), frozen, now)?.reason;
  const reason = 'frozen by alice since 1970-01-01T00:00:00.000Z: fair';
  assert.deepEqual(
    [reasonIn('baking'), reasonIn('paused'), reasonIn('aborted')],
    [reason, reason, undefined],
  );
});

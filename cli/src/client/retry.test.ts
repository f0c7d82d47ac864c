import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { BareStatus } from '../testing/fake-controller.ts';
import { retryUnavailable } from './retry.ts';

const LATER = Date.now() + 3_600_000;

function failing(times: number, code: status) {
  let calls = 0;
  return async () => {
    calls++;
    if (calls <= times) throw new BareStatus(code);
    return calls;
  };
}

test('an unavailable controller is asked three times, after growing pauses', async () => {
  const pauses: number[] = [];
  const wait = async (ms: number) => pauses.push(ms);
  assert.equal(await retryUnavailable(failing(2, status.UNAVAILABLE), LATER, wait), 3);
  assert.deepEqual(pauses, [150, 600]);
  const hopeless = retryUnavailable(failing(3, status.UNAVAILABLE), LATER, wait);
  await assert.rejects(hopeless, { code: status.UNAVAILABLE });
});

test('other answers are answers', async () => {
  for (const code of [status.NOT_FOUND, status.ABORTED, status.DEADLINE_EXCEEDED]) {
    const wait = () => assert.fail('no pause expected');
    await assert.rejects(retryUnavailable(failing(1, code), LATER, wait), { code });
  }
});

test('nothing is tried past the deadline', async () => {
  const wait = () => assert.fail('no pause expected');
  const attempt = retryUnavailable(failing(1, status.UNAVAILABLE), Date.now() + 100, wait);
  await assert.rejects(attempt, { code: status.UNAVAILABLE });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JobThread } from './job-thread.ts';

/** Each job says what becomes of it. */
type Job = 'answer' | 'refuse' | 'fail' | 'end';

const makeThread = () =>
  new JobThread<Job, Uint8Array>({
    worker: new URL('testing/job-worker.ts', import.meta.url),
    doing: 'testing',
    heapMiB: 64,
  });

test('jobs are answered each by its own result or error, with all that a user is told', async () => {
  const thread = makeThread();
  const refused = assert.rejects(thread.run('refuse'), {
    code: 'SKEIN_VERIFIER_REJECTED',
    message: 'no',
    detail: '0: r0\n',
    remedy: 'Try.',
  });
  const failed = assert.rejects(thread.run('fail'), { code: 'SKEIN_INTERNAL', message: 'oh' });
  assert.deepEqual(await thread.run('answer'), Uint8Array.of(1, 2));
  await Promise.all([refused, failed]);
  await thread.close();
});

test('who waits for a thread that ends is told, and the next one gets a new thread', async () => {
  const thread = makeThread();
  await assert.rejects(thread.run('end'), {
    code: 'SKEIN_INTERNAL',
    message: 'testing: its thread ended',
  });
  const told = assert.rejects(thread.run('answer'), { message: 'testing: its thread ended' });
  await thread.close();
  await told;
  assert.deepEqual(await thread.run('answer'), Uint8Array.of(1, 2));
  await thread.close();
});

import { parentPort } from 'node:worker_threads';
import { toSkeinError } from '#common/errors.ts';
import { prepareObject } from './prepare.ts';
import type { PrepareAnswer, PrepareJob } from './prepare-thread.ts';

/** The thread that verifies and compiles: a second for a large program, which no flip may wait for. */
parentPort?.on('message', (job: PrepareJob) => {
  parentPort?.postMessage({ id: job.id, ...answer(job) } satisfies PrepareAnswer);
});

function answer({ object, programs }: PrepareJob) {
  try {
    return { prepared: prepareObject(object, programs, () => performance.now()) };
  } catch (thrown) {
    const { code, message, detail, remedy } = toSkeinError(thrown);
    return { error: { code, message, detail, remedy } };
  }
}

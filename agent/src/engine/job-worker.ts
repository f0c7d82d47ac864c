import { parentPort } from 'node:worker_threads';
import { toSkeinError } from '#common/errors.ts';
import type { JobAnswer, NumberedJob, PlainError } from './job-thread.ts';

/** The other end of a JobThread: does jobs in the order in which they come. */
export function answerJobs<Job, Result>(work: (job: Job) => Result): void {
  parentPort?.on('message', ({ id, job }: NumberedJob<Job>) => {
    parentPort?.postMessage({ id, ...attempt(work, job) } satisfies JobAnswer<Result>);
  });
}

function attempt<Job, Result>(work: (job: Job) => Result, job: Job) {
  try {
    return { result: work(job) };
  } catch (thrown) {
    const { code, message, detail, remedy } = toSkeinError(thrown);
    return { error: { code, message, detail, remedy } satisfies PlainError };
  }
}

import { answerJobs } from '../job-worker.ts';
import { type PreparedObject, prepareObject } from './prepare.ts';

export interface PrepareJob {
  readonly object: Uint8Array;
  readonly programs: readonly string[];
}

/** The thread for verifier and JIT: a second for a large program. */
answerJobs(
  ({ object, programs }: PrepareJob): PreparedObject =>
    prepareObject(object, programs, () => performance.now()),
);

import { parentPort } from 'node:worker_threads';
import { toSkeinError } from '#common/errors.ts';
import { lift } from '../../program/lift.ts';
import type { LiftedObject } from '../../program/lifted.ts';
import { lower } from '../../program/lower.ts';
import { specialise } from '../../program/specialise.ts';
import type { SpecialiseAnswer, SpecialiseJob } from './specialise-thread.ts';

/** The thread that takes objects apart: hundreds of milliseconds for a large one, which no flip may wait for. */
let last: { readonly digest: string; readonly lifted: LiftedObject } | undefined;

parentPort?.on('message', (job: SpecialiseJob) => {
  parentPort?.postMessage({ id: job.id, ...answer(job) } satisfies SpecialiseAnswer);
});

function answer({ digest, object, program, vector, gotol }: SpecialiseJob) {
  try {
    if (last?.digest !== digest) last = { digest, lifted: lift(object) };
    const edited = specialise(last.lifted, vector, { programs: new Set([program]) });
    return { object: lower(edited, { gotol }) };
  } catch (thrown) {
    const { code, message } = toSkeinError(thrown);
    return { error: { code, message } };
  }
}

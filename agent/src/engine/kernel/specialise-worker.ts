import { lift } from '../../program/lift.ts';
import type { LiftedObject } from '../../program/lifted.ts';
import { lower } from '../../program/lower.ts';
import { specialise } from '../../program/specialise.ts';
import { answerJobs } from '../job-worker.ts';
import type { KeyVector } from './vector.ts';

/** An object to specialise for one program and one vector. */
export interface SpecialiseJob {
  /** Of `object`; the thread keeps the last one taken apart. */
  readonly digest: string;
  readonly object: Uint8Array;
  readonly program: string;
  readonly vector: KeyVector;
  /** The kernel knows jumps of 32 bits. */
  readonly gotol: boolean;
}

/** The thread that takes objects apart: hundreds of milliseconds for a large one. */
let last: { readonly digest: string; readonly lifted: LiftedObject } | undefined;

answerJobs(({ digest, object, program, vector, gotol }: SpecialiseJob): Uint8Array => {
  if (last?.digest !== digest) last = { digest, lifted: lift(object) };
  const edited = specialise(last.lifted, vector, { programs: new Set([program]) });
  return lower(edited, { gotol });
});

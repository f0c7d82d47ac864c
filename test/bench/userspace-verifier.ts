import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { bpfObject, GUARD } from './paths.ts';

/** Of one program in a fresh process. */
export interface VerifierTimes {
  /** Looked at, an instruction again on each way: what the kernel reports as verified_insns. */
  readonly instructions: number;
  /** Of the thread, for one verification after the other: V8 has compiled nothing yet when the first begins. */
  readonly seconds: readonly number[];
}

const PROCESS = fileURLToPath(new URL('userspace-verifier-process.ts', import.meta.url));

/** Straight code with many branches; an example as people write it; loops, which are walked turn by turn. */
export const VERIFIED: readonly (readonly [program: string, object: string])[] = [
  ['large', bpfObject('large')],
  ['guard_xdp', GUARD],
  ['classify', bpfObject('userspace')],
  ['sort', bpfObject('userspace')],
];

export async function measureVerifier(
  program: string,
  object: string,
  runs: number,
): Promise<VerifierTimes> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    PROCESS,
    object,
    program,
    `${runs}`,
  ]);
  return JSON.parse(stdout);
}

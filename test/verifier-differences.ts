/** Where the kernel accepts what our verifier does not, and why. The test fails when one is missing or gone. */
export interface Difference {
  /** FOLDER/PROGRAM of the corpus, or the name of a hand-made program. */
  readonly program: string;
  readonly reason: string;
  /** Assembly, of a hand-made one. */
  readonly code?: string;
}

export const STRICTER: readonly Difference[] = [
  {
    program: 'a number that is -1 or 0',
    reason:
      'The kernel walks both values apart (maybe_fork_scalars()); ours takes them as a range.',
    code: `
      r1 = map[fd:0][0]+0 ll
      r1 = *(s16 *)(r1 +0)
      r1 s>>= 33
      r1 &= 63
      if r1 == 0 goto out
      if r1 == 63 goto out
      r0 = *(u64 *)(r9 +0)
    out:
      r0 = 0
      exit`,
  },
];

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
  {
    program: 'behind the end of the packet, and back',
    reason:
      'The kernel goes on taking a pointer that it found behind the end for one that is, whatever is taken off it, and never looks at the side of the second comparison that is run.',
    code: `
      r2 = *(u32 *)(r1 +0)
      r3 = *(u32 *)(r1 +4)
      r4 = r2
      r4 += 100
      if r4 > r3 goto behind
      r0 = 0
      exit
    behind:
      r4 += -100
      if r4 > r3 goto out
      r0 = *(u64 *)(r9 +0)
    out:
      r0 = 0
      exit`,
  },
  {
    program: 'a slot of the stack that nothing reads any more',
    reason:
      'The kernel forgets such slots when it compares states; ours still wants the pointer at -16, walks the other way on and finds that it reads a part of a pointer.',
    code: `
      r1 = map[fd:0][0]+0 ll
      r6 = *(u64 *)(r1 +0)
      r7 = *(u64 *)(r1 +8)
      if r6 == 1 goto other
      *(u64 *)(r10 -8) = 1
      *(u8 *)(r10 -7) = 1
      *(u64 *)(r10 -16) = r10
      goto join
    other:
      *(u64 *)(r10 -8) = r10
    join:
      r8 = 4
      r9 = 5
      r2 = 6
      if r7 == 9 goto out
      r0 = *(u16 *)(r10 -8)
    out:
      r0 = 0
      exit`,
  },
  {
    program: 'a 32-bit sum of a number and a constant',
    reason:
      'The kernel links the sum to the number (BPF_ADD_CONST32); ours does so for 64-bit sums alone.',
    code: `
      r1 = map[fd:0][0]+0 ll
      r6 = *(u32 *)(r1 +0)
      r7 = r6
      w7 += 4
      if r7 < 4 goto out
      if r7 > 7 goto out
      r1 += r6
      r0 = *(u8 *)(r1 +0)
    out:
      r0 = 0
      exit`,
  },
  {
    program: 'a range in which the known bits leave one number',
    reason:
      'The kernel looks for the only number that bits and range have in common (tnum_step()); ours keeps both.',
    code: `
      r1 = map[fd:0][0]+0 ll
      r0 = *(u64 *)(r1 +0)
      r0 |= 24
      if r0 > 32 goto out
      r0 &= 56
      r4 = r10
      r4 += r0
      *(u8 *)(r4 -32) = 0
    out:
      r0 = 0
      exit`,
  },
];

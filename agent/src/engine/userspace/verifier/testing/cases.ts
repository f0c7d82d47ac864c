import type { RawInstruction } from '#agent/object/instructions.ts';
import { assemble } from '../../isa/assemble.ts';
import { startsOfSubprograms } from '../../isa/subprograms.ts';
import type { ContextType, VerifierInput } from '../input.ts';
import { MAPS } from './random-program.ts';

/** A small program, and what a verifier has to say of it. */
export interface Case {
  readonly name: string;
  readonly type: ContextType;
  readonly code: string;
  /** Slot, and a part of the reason; absent: accepted. */
  readonly refused?: readonly [number, string];
  /** The kernel wants to have function information for it, which raw instructions do not bring. */
  readonly needsBtf?: boolean;
}

/** The input for raw instructions: the maps of random programs, functions where calls go. */
export function inputOf(type: ContextType, slots: readonly RawInstruction[]): VerifierInput {
  const functions = startsOfSubprograms(slots).map((start, n) => ({ name: `f${n}`, start }));
  return { kind: { type }, slots, functions, maps: MAPS, gplCompatible: true };
}

export const slotsOf = ({ code }: Case): RawInstruction[] => assemble(code);

const accepted = (name: string, code: string, type: ContextType = 'xdp'): Case => ({
  name,
  type,
  code,
});

const refused = (
  name: string,
  at: number,
  reason: string,
  code: string,
  type: ContextType = 'xdp',
): Case => ({ name, type, code, refused: [at, reason] });

const callback = (name: string, code: string): Case => ({
  ...accepted(name, code),
  needsBtf: true,
});

/** r7 = data, of which the first `bytes` are there; r8 = end. */
const packet = (bytes: number): string => `
  r7 = *(u32 *)(r1 +0)
  r8 = *(u32 *)(r1 +4)
  r2 = r7
  r2 += ${bytes}
  if r2 <= r8 goto there
  r0 = 0
  exit
there:`;

/** r0 = an element, 24 bytes, or 0. */
const LOOKUP = `
  *(u32 *)(r10 -4) = 1
  r2 = r10
  r2 += -4
  r1 = map[fd:1] ll
  call 1`;

const RESERVE = `
  r1 = map[fd:4] ll
  r2 = 16
  r3 = 0
  call 131`;

const RETURN = `
  r0 = 0
  exit`;

/** A number of which nothing is known. */
const UNKNOWN = `
  r3 = map[fd:0][0]+0 ll
  r3 = *(u64 *)(r3 +0)`;

export const CASES: readonly Case[] = [
  // Control flow.
  accepted('nothing but a result', RETURN),
  refused(
    'an instruction that nothing reaches',
    2,
    'unreachable insn 2',
    `${RETURN}\nr0 = 1\nexit`,
  ),
  refused('a jump behind the end', 0, 'out of range', 'goto pc+5\nr0 = 0\nexit'),
  refused('a jump before the start', 0, 'out of range', 'goto pc-3\nr0 = 0\nexit'),
  refused('no exit at the end', 0, 'falls off', 'r0 = 0'),
  refused('a jump into a constant', 0, 'middle', 'goto pc+1\nr0 = 1 ll\nexit'),
  refused('a loop that changes nothing', 1, 'infinite loop', 'r0 = 0\nagain: goto again'),
  refused('a loop without end', 2, 'too large', 'r0 = 0\nagain: r0 += 1\ngoto again'),
  accepted('a bounded loop', 'r0 = 0\nagain: r0 += 1\nif r0 < 100 goto again\nexit'),
  accepted(
    'a bounded loop over a map value',
    `r1 = 0
    again: r2 = map[fd:0][0]+0 ll
    r2 += r1
    *(u8 *)(r2 +0) = 1
    r1 += 1
    if r1 != 64 goto again${RETURN}`,
  ),
  refused(
    'a loop one too far',
    4,
    'outside of the allowed memory range',
    `r1 = 0
    again: r2 = map[fd:0][0]+0 ll
    r2 += r1
    *(u8 *)(r2 +0) = 1
    r1 += 1
    if r1 != 65 goto again${RETURN}`,
  ),
  refused('a recursion', 2, 'too deep', 'call f\nexit\nf: call f\nexit'),

  // Registers.
  refused('a register that was never written', 0, 'R3 !read_ok', 'r0 = r3\nexit'),
  refused('no result', 0, 'R0 !read_ok', 'exit'),
  refused('a write to the frame pointer', 0, 'R10', `r10 = 1${RETURN}`),
  refused('a register that a call destroys', 2, 'R1 !read_ok', `r6 = r1\ncall 7\nr0 = r1\nexit`),
  refused('division by a zero constant', 1, 'zero', 'r0 = 1\nr0 /= 0\nexit'),
  accepted('division by a register that may be zero', `${UNKNOWN}\nr0 = 5\nr0 /= r3\nexit`),
  refused('a shift too far', 1, 'shift', 'r0 = 1\nr0 <<= 64\nexit'),
  refused('a 32-bit shift too far', 1, 'shift', 'r0 = 1\nw0 >>= 32\nexit'),
  accepted(
    'sign-extending moves and loads',
    `
    *(u64 *)(r10 -8) = -1
    r1 = *(s8 *)(r10 -8)
    r2 = (s16)r1
    w3 = (s8)w2
    r0 = 0
    exit`,
  ),

  // Pointers.
  refused('a pointer times a number', 0, 'prohibited', `r1 *= 2${RETURN}`),
  refused('half a pointer', 0, '32-bit pointer arithmetic', `w1 += 1${RETURN}`),
  refused('two pointers added', 0, 'prohibited', `r1 += r10${RETURN}`),
  accepted('the difference of two pointers', 'r0 = r10\nr0 -= r1\nexit'),
  refused('a number as an address', 1, 'invalid mem access', 'r1 = 5\nr0 = *(u8 *)(r1 +0)\nexit'),
  refused(
    'a stack pointer and any number',
    4,
    'unbounded',
    `${UNKNOWN}\nr2 = r10\nr2 += r3${RETURN}`,
  ),
  refused(
    'subtraction from the frame pointer',
    2,
    'stack pointer',
    `r2 = 8\nr3 = r10\nr3 -= r2${RETURN}`,
  ),
  accepted('a pointer as a result', 'r0 = r1\nexit'),

  // Stack.
  accepted('the last byte of the stack', `*(u8 *)(r10 -512) = 1${RETURN}`),
  refused('below the stack', 0, 'invalid write to stack', `*(u64 *)(r10 -520) = 1${RETURN}`),
  refused('above the stack', 0, 'invalid', `*(u8 *)(r10 +0) = 1${RETURN}`),
  refused('an unaligned slot', 0, 'misaligned', `*(u64 *)(r10 -12) = 1${RETURN}`),
  accepted('bytes that were never written', 'r0 = *(u8 *)(r10 -1)\nexit'),
  accepted(
    'a pointer that was spilled',
    `
    *(u64 *)(r10 -8) = r1
    r2 = *(u64 *)(r10 -8)
    r0 = *(u32 *)(r2 +12)
    exit`,
  ),
  refused(
    'half a pointer spilled',
    0,
    'invalid size of register spill',
    `*(u32 *)(r10 -8) = r1${RETURN}`,
  ),
  refused(
    'half of a spilled pointer',
    1,
    'invalid size of register fill',
    '*(u64 *)(r10 -8) = r1\nr0 = *(u32 *)(r10 -8)\nexit',
  ),
  refused(
    'a spilled pointer that was overwritten',
    3,
    "'scalar'",
    `
    *(u64 *)(r10 -8) = r1
    *(u8 *)(r10 -5) = 0
    r2 = *(u64 *)(r10 -8)
    r0 = *(u32 *)(r2 +12)
    exit`,
  ),
  accepted(
    'a number that was spilled keeps its range',
    `${UNKNOWN}
    r3 &= 7
    *(u64 *)(r10 -16) = r3
    r4 = *(u64 *)(r10 -16)
    r5 = r10
    r5 += r4
    *(u8 *)(r5 -8) = 1${RETURN}`,
  ),
  accepted(
    'a variable place on the stack',
    `${UNKNOWN}\nr3 &= 7\nr2 = r10\nr2 += r3\nr0 = *(u8 *)(r2 -8)\nexit`,
  ),
  refused(
    'a variable place, one too far',
    6,
    'stack',
    `${UNKNOWN}\nr3 &= 8\nr2 = r10\nr2 += r3\nr0 = *(u8 *)(r2 -8)\nexit`,
  ),
  refused(
    'more stack than there is, over calls',
    1,
    'Too large',
    `
    *(u64 *)(r10 -264) = 1
    call f
    exit
  f: *(u64 *)(r10 -264) = 1${RETURN}`,
  ),

  // Context.
  accepted('the fields of xdp_md', 'r0 = *(u32 *)(r1 +12)\nr2 = *(u32 *)(r1 +16)\nexit'),
  refused(
    'a field for programs in a devmap',
    0,
    'invalid bpf_context access',
    'r0 = *(u32 *)(r1 +20)\nexit',
  ),
  refused(
    'a part of a field of xdp_md',
    0,
    'invalid bpf_context access',
    'r0 = *(u16 *)(r1 +12)\nexit',
  ),
  refused('a write to xdp_md', 0, 'invalid bpf_context access', `*(u32 *)(r1 +12) = 1${RETURN}`),
  refused('a context that was moved', 1, 'modified ctx', 'r1 += 4\nr0 = *(u32 *)(r1 +8)\nexit'),
  accepted('a part of a field of __sk_buff', 'r0 = *(u8 *)(r1 +9)\nexit', 'tc'),
  accepted('writes to __sk_buff', `*(u32 *)(r1 +8) = 1\n*(u16 *)(r1 +50) = 2${RETURN}`, 'tc'),
  refused(
    'a write to the length',
    0,
    'invalid bpf_context access',
    `*(u32 *)(r1 +0) = 1${RETURN}`,
    'tc',
  ),
  refused(
    'a part of a pointer',
    0,
    'invalid bpf_context access',
    'r0 = *(u16 *)(r1 +76)\nexit',
    'tc',
  ),
  refused('padding', 0, 'invalid bpf_context access', 'r0 = *(u8 *)(r1 +182)\nexit', 'tc'),
  refused(
    'an atomic addition to the context',
    1,
    'not allowed',
    `r2 = 1\nlock *(u32 *)(r1 +8) += r2${RETURN}`,
    'tc',
  ),
  refused(
    'a packet that a socket filter may not see',
    0,
    'invalid bpf_context access',
    'r0 = *(u32 *)(r1 +76)\nexit',
    'socket-filter',
  ),
  accepted('an argument of a raw tracepoint', 'r0 = *(u64 *)(r1 +8)\nexit', 'raw-tracepoint'),
  refused(
    'an argument too many',
    0,
    'invalid bpf_context access',
    'r0 = *(u64 *)(r1 +96)\nexit',
    'raw-tracepoint',
  ),

  // Packets.
  accepted('bytes that are there', `${packet(14)}\nr0 = *(u16 *)(r7 +12)\nexit`),
  refused(
    'one byte too far',
    7,
    'invalid access to packet',
    `${packet(14)}\nr0 = *(u16 *)(r7 +13)\nexit`,
  ),
  refused(
    'bytes that were not looked for',
    1,
    'invalid access to packet',
    'r7 = *(u32 *)(r1 +0)\nr0 = *(u8 *)(r7 +0)\nexit',
  ),
  accepted('a write to the packet', `${packet(14)}\n*(u8 *)(r7 +13) = 1${RETURN}`),
  refused(
    'a write to the packet by a reader',
    7,
    'cannot write into packet',
    `${packet(14).replace('+0)', '+76)').replace('+4)', '+80)')}\n*(u8 *)(r7 +13) = 1${RETURN}`,
    'cgroup-skb',
  ),
  refused(
    'the wrong side of the comparison',
    7,
    'invalid access to packet',
    `${packet(14).replace('<=', '>')}\nr0 = *(u8 *)(r7 +0)\nexit`,
  ),
  accepted(
    'a header of variable length',
    `${packet(20)}
    r3 = *(u8 *)(r7 +0)
    r3 &= 15
    r3 <<= 2
    r7 += r3
    r2 = r7
    r2 += 4
    if r2 > r8 goto out
    r0 = *(u32 *)(r7 +0)
    exit
  out: r0 = 0
    exit`,
  ),
  refused(
    'a packet that was moved',
    11,
    "'scalar'",
    `
    r6 = r1${packet(14)}
    r1 = r6
    r2 = 0
    call 44
    r0 = *(u8 *)(r7 +0)
    exit`,
  ),
  accepted(
    'metadata before the packet',
    `
    r2 = *(u32 *)(r1 +8)
    r3 = *(u32 *)(r1 +0)
    r4 = r2
    r4 += 4
    if r4 > r3 goto out
    r0 = *(u32 *)(r2 +0)
    exit
  out: r0 = 0
    exit`,
  ),

  // Maps.
  accepted(
    'an element, when it is there',
    `${LOOKUP}\nif r0 == 0 goto none\nr0 = *(u64 *)(r0 +16)\nexit\nnone: exit`,
  ),
  refused(
    'an element that may not be there',
    6,
    'map_value_or_null',
    `${LOOKUP}\nr0 = *(u64 *)(r0 +0)\nexit`,
  ),
  refused(
    'behind an element',
    7,
    'allowed memory range',
    `${LOOKUP}\nif r0 == 0 goto none\nr0 = *(u64 *)(r0 +17)\nexit\nnone: exit`,
  ),
  accepted(
    'an element of an array whose index is known',
    `${LOOKUP.replace('fd:1', 'fd:3').replaceAll('-4', '-8')}\nr0 = *(u64 *)(r0 +0)\nexit`,
  ),
  refused(
    'an index that an array does not have',
    6,
    'map_value_or_null',
    `${LOOKUP.replace('fd:1', 'fd:3').replace('= 1', '= 4').replaceAll('-4', '-8')}\nr0 = *(u64 *)(r0 +0)\nexit`,
  ),
  refused(
    'arithmetic before the test',
    6,
    'null-check it first',
    `${LOOKUP}\nr0 += 8\nif r0 == 0 goto none\nr0 = *(u64 *)(r0 +0)\nnone: exit`,
  ),
  refused(
    'a key on a stack that has no such bytes',
    4,
    'stack',
    `r2 = r10\nr2 += -2\nr1 = map[fd:1] ll\ncall 1${RETURN}`,
  ),
  refused('a number as a map', 3, 'map_ptr', `r1 = 1\nr2 = r10\nr2 += -4\ncall 1${RETURN}`),
  refused(
    'a map that there is not',
    0,
    'not pointing to valid bpf_map',
    `r1 = map[fd:77] ll${RETURN}`,
  ),
  refused(
    'a map of a kind that the helper does not take',
    5,
    'cannot pass map_type',
    `${LOOKUP.replace('fd:1', 'fd:4')}${RETURN}`,
  ),
  refused(
    'a write to constants',
    2,
    'read-only',
    `r1 = map[fd:2][0]+0 ll\n*(u8 *)(r1 +0) = 1${RETURN}`,
  ),
  accepted(
    'a constant decides a branch',
    `
    r1 = map[fd:2][0]+0 ll
    r1 = *(u32 *)(r1 +4)
    if r1 == 0 goto out
    r0 = *(u64 *)(r2 +0)
    out: r0 = 0
    exit`,
  ),
  refused(
    'the address of a value behind its end',
    0,
    'invalid access to map value pointer',
    `r1 = map[fd:0][0]+64 ll${RETURN}`,
  ),
  accepted(
    'an index within bounds',
    `${UNKNOWN}\nr3 &= 63\nr1 = map[fd:0][0]+0 ll\nr1 += r3\nr0 = *(u8 *)(r1 +0)\nexit`,
  ),
  refused(
    'an index of unknown sign',
    6,
    'out of bounds',
    `
    r3 = map[fd:0][0]+0 ll
    r3 = *(s32 *)(r3 +0)
    if r3 s> 60 goto out
    r1 = map[fd:0][0]+0 ll
    r1 += r3
    r0 = *(u8 *)(r1 +0)
    exit
  out: r0 = 0
    exit`,
  ),
  accepted(
    'an atomic addition',
    `r1 = map[fd:0][0]+0 ll\nr2 = 1\nlock *(u64 *)(r1 +8) += r2${RETURN}`,
  ),
  refused(
    'an unaligned atomic addition',
    3,
    'misaligned',
    `r1 = map[fd:0][0]+0 ll\nr2 = 1\nlock *(u64 *)(r1 +4) += r2${RETURN}`,
  ),
  accepted(
    'compare and exchange',
    `
    r1 = map[fd:0][0]+0 ll
    r2 = 1
    r0 = 0
    r0 = atomic64_cmpxchg((u64 *)(r1 +8), r0, r2)
    exit`,
  ),

  // Helpers.
  refused('a helper that there is not', 0, 'invalid func', `call 9999${RETURN}`),
  refused('a helper of another kind of program', 0, 'cannot use helper', 'call 44\nexit', 'tc'),
  refused('a helper without its argument', 2, 'R2 !read_ok', `r1 = map[fd:1] ll\ncall 1${RETURN}`),
  refused(
    'no bytes of text',
    4,
    'zero-sized',
    `*(u64 *)(r10 -8) = 0\nr1 = r10\nr1 += -8\nr2 = 0\ncall 6${RETURN}`,
  ),
  refused(
    'a size that may be too large',
    8,
    'invalid read from stack',
    `${UNKNOWN}\nr2 = r3\nr2 &= 15\nr2 += 1\nr1 = r10\nr1 += -8\ncall 6${RETURN}`,
  ),
  accepted(
    'a size within bounds',
    `${UNKNOWN}\nr2 = r3\nr2 &= 7\nr2 += 1\nr1 = r10\nr1 += -8\ncall 6${RETURN}`,
  ),

  // References.
  accepted(
    'a record given out and taken back',
    `${RESERVE}
    if r0 == 0 goto none
    *(u64 *)(r0 +8) = 1
    r1 = r0
    r2 = 0
    call 132
  none: r0 = 0
    exit`,
  ),
  refused(
    'a record that is never taken back',
    8,
    'Unreleased reference',
    `${RESERVE}
    if r0 == 0 goto none
    *(u64 *)(r0 +8) = 1
  none: r0 = 0
    exit`,
  ),
  refused(
    'a record that was taken back',
    10,
    "'scalar'",
    `${RESERVE}
    if r0 == 0 goto none
    r6 = r0
    r1 = r0
    r2 = 0
    call 132
    *(u64 *)(r6 +8) = 1
  none: r0 = 0
    exit`,
  ),
  refused(
    'behind a record',
    6,
    'allowed memory range',
    `${RESERVE}
    if r0 == 0 goto none
    *(u64 *)(r0 +9) = 1
  none: r0 = 0
    exit`,
  ),

  // Callbacks.
  callback(
    'a callback that counts',
    `
    *(u64 *)(r10 -8) = 0
    r1 = 100
    r2 = subprog[+7] ll
    r3 = r10
    r3 += -8
    r4 = 0
    call 181
    r0 = *(u64 *)(r10 -8)
    exit
  f: r3 = *(u64 *)(r2 +0)
    r3 += 1
    *(u64 *)(r2 +0) = r3
    r0 = 0
    exit`,
  ),
  refused(
    'an index that a callback counts up',
    12,
    'memory range',
    `
    *(u64 *)(r10 -8) = 0
    r1 = 100
    r2 = subprog[+11] ll
    r3 = r10
    r3 += -8
    r4 = 0
    call 181
    r2 = *(u64 *)(r10 -8)
    r1 = map[fd:0][0]+0 ll
    r1 += r2
    r0 = *(u8 *)(r1 +0)
    exit
  f: r3 = *(u64 *)(r2 +0)
    r3 += 1
    *(u64 *)(r2 +0) = r3
    r0 = 0
    exit`,
  ),
  callback(
    'a callback for each element',
    `
    r1 = map[fd:1] ll
    r2 = subprog[+6] ll
    r3 = 0
    r4 = 0
    call 164
    r0 = 0
    exit
  f: r0 = *(u32 *)(r2 +0)
    r0 = *(u64 *)(r3 +16)
    r0 &= 1
    exit`,
  ),
  refused(
    'a callback that writes a key',
    9,
    'rdonly',
    `
    r1 = map[fd:1] ll
    r2 = subprog[+6] ll
    r3 = 0
    r4 = 0
    call 164
    r0 = 0
    exit
  f: *(u32 *)(r2 +0) = 1${RETURN}`,
  ),
  refused(
    'a callback that returns anything',
    10,
    'should have been in [0, 1]',
    `
    r1 = map[fd:1] ll
    r2 = subprog[+6] ll
    r3 = 0
    r4 = 0
    call 164
    r0 = 0
    exit
  f: r0 = *(u64 *)(r3 +0)
    exit`,
  ),

  // Functions.
  accepted(
    'a function that gets a pointer to the stack',
    `
    r1 = r10
    r1 += -8
    call f
    r0 = *(u64 *)(r10 -8)
    exit
  f: *(u64 *)(r1 +0) = 7${RETURN}`,
  ),
  refused(
    'a function that returns its stack',
    3,
    'cannot return stack pointer',
    'call f\nexit\nf: r0 = r10\nexit',
  ),
  refused(
    'a function that keeps what it must not',
    4,
    'cannot spill pointers to stack',
    `
    r1 = r10
    r1 += -8
    call f
    exit
  f: *(u64 *)(r1 +0) = r10${RETURN}`,
  ),
  accepted(
    'ranges come back from a function',
    `
    call f
    r1 = map[fd:0][0]+0 ll
    r1 += r0
    r0 = *(u8 *)(r1 +0)
    exit
  f: ${UNKNOWN}
    r3 &= 63
    r0 = r3
    exit`,
  ),
];

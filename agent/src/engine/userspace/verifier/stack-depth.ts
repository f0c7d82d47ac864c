import { HELPERS, TAIL_CALL } from './helpers.ts';
import type { Program } from './program.ts';
import { Refusal } from './refusal.ts';
import { MAX_FRAMES, MAX_STACK } from './state.ts';

/** A call of one function by another, which does not need to be taken. */
export interface CallSite {
  readonly at: number;
  readonly callee: number;
}

/** Calls of functions of the program, by calling function. */
export function callSites(program: Program): CallSite[][] {
  const { operations, slots, functions, functionAt } = program;
  const starts = new Map(functions.map(({ start }, index) => [start, index]));
  const calls: CallSite[][] = functions.map(() => []);
  operations.forEach((operation, at) => {
    // The address of a function is taken to have it called.
    const isCall =
      (operation?.kind === 'call' && operation.callee === 'subprogram') ||
      (operation?.kind === 'constant' && operation.of === 'subprogram');
    if (!isCall) return;
    const callee = starts.get(at + 1 + (slots[at]?.imm ?? 0));
    if (callee !== undefined) calls[functionAt[at] ?? 0]?.push({ at, callee });
  });
  return calls;
}

/** Functions that move the packet, themselves or through what they call: changes_pkt_data. A tail call may, too. */
export function packetMovers(program: Program, calls: readonly CallSite[][]): readonly boolean[] {
  const moves = program.functions.map(() => false);
  program.operations.forEach((operation, at) => {
    if (operation?.kind !== 'call' || operation.callee !== 'helper') return;
    const helper = program.slots[at]?.imm ?? 0;
    if (helper === TAIL_CALL || HELPERS.get(helper)?.movesPacket)
      moves[program.functionAt[at] ?? 0] = true;
  });
  for (let changed = true; changed; ) {
    changed = false;
    calls.forEach((sites, fn) => {
      if (moves[fn] || !sites.some(({ callee }) => moves[callee])) return;
      moves[fn] = true;
      changed = true;
    });
  }
  return moves;
}

/** A tail call may come with as much stack in use as this: its programs have another 512 bytes each. */
const MAX_STACK_BEFORE_TAIL_CALL = 256;
const ALIGNMENT = 16;

/**
 * That no chain of calls takes too much stack. check_max_stack_depth() of kernel/bpf/verifier.c, of a program that a JIT
 * compiles.
 * @throws Refusal when a chain is too long or its stack is too large
 */
export function checkStackDepth(
  program: Program,
  calls: readonly CallSite[][],
  depths: readonly number[],
): void {
  const tailCallAt = firstTailCalls(program);
  const seen = new Set<string>();
  const follow = (fn: number, frames: number, used: number, at: number): void => {
    // Chains multiply; what they come to a function with does not.
    const chain = `${fn} ${frames} ${used}`;
    if (seen.has(chain)) return;
    seen.add(chain);
    if (frames > MAX_FRAMES)
      throw new Refusal(at, `the call stack of ${frames} frames is too deep !`);
    const depth = used + Math.ceil(Math.max(depths[fn] ?? 0, 1) / ALIGNMENT) * ALIGNMENT;
    if (depth > MAX_STACK)
      throw new Refusal(at, `combined stack size of ${frames} calls is ${depth}. Too large`);
    const tailCall = tailCallAt[fn];
    if (tailCall !== undefined && frames > 1 && used >= MAX_STACK_BEFORE_TAIL_CALL)
      throw new Refusal(
        tailCall,
        `tail_calls are not allowed when call stack of previous frames is ${used} bytes. Too large`,
      );
    for (const call of calls[fn] ?? []) follow(call.callee, frames + 1, depth, call.at);
  };
  follow(0, 1, 0, 0);
}

function firstTailCalls(program: Program): (number | undefined)[] {
  const found: (number | undefined)[] = [];
  program.operations.forEach((operation, at) => {
    if (operation?.kind !== 'call' || operation.callee !== 'helper') return;
    if (program.slots[at]?.imm === TAIL_CALL) found[program.functionAt[at] ?? 0] ??= at;
  });
  return found;
}

import { slotsOf } from '../isa/opcodes.ts';
import { HELPERS } from './helpers.ts';
import type { Program } from './program.ts';
import { Refusal } from './refusal.ts';

/** Where a program can go from each instruction. */
export interface ControlFlow {
  /** By slot; empty for an exit and the second slot of an ld_imm64. A call goes on behind itself. */
  readonly successors: readonly (readonly number[])[];
  /** Slots where ways may meet, and states are compared: prune_point of struct bpf_insn_aux_data. */
  readonly prunePoints: Uint8Array;
}

/**
 * check_cfg() of kernel/bpf/verifier.c as for privileged programs: every instruction can be reached, loops are allowed.
 * That jumps stay in their function and that no function is left at its end is already known (validate.ts).
 * @throws Refusal at the first instruction that nothing reaches
 */
export function checkControlFlow(program: Program): ControlFlow {
  const { slots, operations, functions } = program;
  const successors: number[][] = slots.map(() => []);
  const prunePoints = new Uint8Array(slots.length);
  const seen = new Uint8Array(slots.length);
  const pending = [0];
  const visit = (at: number): void => {
    if (seen[at] === 1) return;
    seen[at] = 1;
    pending.push(at);
  };
  seen[0] = 1;
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    const callee = calleeOf(program, at);
    if (callee !== undefined) {
      if (!functions.some(({ start }) => start === callee))
        throw new Refusal(at, `call to ${callee}, where no function starts`);
      prunePoints[at] = 1;
      visit(callee);
    }
    const callback = callbackOf(program, at);
    if (callback !== undefined) visit(callback);
    if (isCallOfCallback(program, at)) {
      prunePoints[at] = 1;
      prunePoints[at + 1] = 1;
    }
    for (const next of nextOf(program, at)) {
      successors[at]?.push(next);
      visit(next);
    }
    markPrunePoints(program, at, prunePoints);
  }
  const unreached = operations.findIndex(
    (op, at) => op !== undefined && !isReached(program, seen, at),
  );
  if (unreached >= 0) throw new Refusal(unreached, `unreachable insn ${unreached}`);
  return { successors, prunePoints };
}

/** What serves a static branch alone is reached with its first instruction. */
function isReached({ sites }: Program, seen: Uint8Array, at: number): boolean {
  if (seen[at] === 1) return true;
  for (const { start, instruction } of sites.values())
    if (at > start && at <= instruction) return seen[start] === 1;
  return false;
}

function calleeOf({ operations, slots }: Program, at: number): number | undefined {
  const operation = operations[at];
  if (operation?.kind !== 'call' || operation.callee !== 'subprogram') return undefined;
  return at + 1 + (slots[at]?.imm ?? 0);
}

/** The function whose address an instruction takes. */
function callbackOf({ operations, slots }: Program, at: number): number | undefined {
  const operation = operations[at];
  if (operation?.kind !== 'constant' || operation.of !== 'subprogram') return undefined;
  return at + 1 + (slots[at]?.imm ?? 0);
}

/** A helper that calls back: a loop of as many turns as it likes. */
export function isCallOfCallback({ operations, slots }: Program, at: number): boolean {
  const operation = operations[at];
  if (operation?.kind !== 'call' || operation.callee !== 'helper') return false;
  return HELPERS.get(slots[at]?.imm ?? 0)?.calls !== undefined;
}

function nextOf({ operations, slots, sites }: Program, at: number): readonly number[] {
  const operation = operations[at];
  const instruction = slots[at];
  if (operation === undefined || instruction === undefined) return [];
  const site = sites.get(at);
  if (site !== undefined) return [site.instruction + 1, site.target];
  switch (operation.kind) {
    case 'exit':
      return [];
    case 'goto':
      return [at + 1 + operation.distance];
    case 'branch':
      return [at + 1, at + 1 + instruction.offset];
    default:
      return [at + slotsOf(instruction)];
  }
}

/** As in visit_insn() of kernel/bpf/verifier.c. */
function markPrunePoints(program: Program, at: number, prunePoints: Uint8Array): void {
  const operation = program.operations[at];
  const next = nextOf(program, at);
  const isSite = program.sites.has(at);
  if (isSite || operation?.kind === 'branch') {
    prunePoints[at] = 1;
    prunePoints[next[1] ?? at] = 1;
  } else if (operation?.kind === 'goto') prunePoints[next[0] ?? at] = 1;
  else if (operation?.kind === 'call' && operation.callee === 'subprogram') prunePoints[at + 1] = 1;
}

const CALLER_SAVED = 0b111111;
const bit = (register: number): number => 1 << register;

/**
 * Registers whose value before an instruction may still be used, as bits; by slot. compute_live_registers() of
 * kernel/bpf/verifier.c.
 */
export function liveRegisters(program: Program, { successors }: ControlFlow): Uint16Array {
  const { operations } = program;
  const live = new Uint16Array(operations.length);
  const uses = new Uint16Array(operations.length);
  const defines = new Uint16Array(operations.length);
  for (let at = 0; at < operations.length; at++) [uses[at], defines[at]] = effectsOf(program, at);
  for (let changed = true; changed; ) {
    changed = false;
    for (let at = operations.length - 1; at >= 0; at--) {
      let after = 0;
      for (const next of successors[at] ?? []) after |= live[next] ?? 0;
      const before = (after & ~(defines[at] ?? 0)) | (uses[at] ?? 0);
      if (before !== live[at]) changed = true;
      live[at] = before;
    }
  }
  return live;
}

/** Registers that an instruction uses, and those that it overwrites. */
function effectsOf({ operations, slots, sites }: Program, at: number): [number, number] {
  const operation = operations[at];
  const instruction = slots[at];
  if (operation === undefined || instruction === undefined || sites.has(at)) return [0, 0];
  const { dst, src, imm } = instruction;
  switch (operation.kind) {
    case 'alu': {
      const operand = operation.source === 'reg' ? bit(src) : 0;
      return [operation.op === 'mov' ? operand : operand | bit(dst), bit(dst)];
    }
    case 'negate':
    case 'byte-order':
      return [bit(dst), bit(dst)];
    case 'sign-extend':
    case 'load':
      return [bit(src), bit(dst)];
    case 'store':
      return [bit(dst) | (operation.source === 'reg' ? bit(src) : 0), 0];
    case 'atomic': {
      const isExchange = operation.op === 'cmpxchg';
      const defined = operation.fetch ? bit(isExchange ? 0 : src) : 0;
      return [bit(dst) | bit(src) | (isExchange ? bit(0) : 0), defined];
    }
    case 'constant':
      return [0, bit(dst)];
    case 'branch':
      return [bit(dst) | (operation.source === 'reg' ? bit(src) : 0), 0];
    case 'call': {
      const known = operation.callee === 'helper' ? HELPERS.get(imm)?.arguments.length : undefined;
      return [bit((known ?? 5) + 1) - 2, CALLER_SAVED];
    }
    case 'exit':
      return [bit(0), 0];
    case 'goto':
      return [0, 0];
  }
}

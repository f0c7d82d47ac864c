import type { RawInstruction } from '#agent/object/instructions.ts';
import { disassemble } from './disassemble.ts';
import { type Operation, operationOf, slotsOf } from './opcodes.ts';
import { problemOfFields } from './reserved-fields.ts';
import { KEY_REGISTER, siteAt } from './sites.ts';
import { startsOfSubprograms } from './subprograms.ts';

/** Slots of the largest program, as in the kernel (BPF_COMPLEXITY_LIMIT_INSNS). */
const MAX_SLOTS = 1_000_000;

/** Why a program is not even well-formed. */
export interface Refusal {
  /** Slot, from 0. */
  readonly instruction: number;
  /** In the disassembler's syntax. */
  readonly text: string;
  readonly reason: string;
}

/**
 * Looks at instructions one by one and at where they go, not at what they compute. The first refusal by
 * slot; undefined when there is none. What runs must have passed this: the JIT and the interpreter rely on it.
 */
export function validate(slots: readonly RawInstruction[]): Refusal | undefined {
  const refuse = (instruction: number, reason: string): Refusal => ({
    instruction,
    text: disassemble(slots, instruction),
    reason,
  });
  if (slots.length === 0) return refuse(0, 'the program is empty');
  if (slots.length > MAX_SLOTS) return refuse(MAX_SLOTS, `more than ${MAX_SLOTS} instructions`);
  const operations = new Array<Operation | undefined>(slots.length).fill(undefined);
  for (let at = 0; at < slots.length; ) {
    const instruction = slots[at];
    if (instruction === undefined) break;
    const operation = operationOf(instruction);
    if (operation === undefined) return refuse(at, reasonOfUnknown(instruction));
    const problem =
      problemOfFields(operation, instruction, slots[at + 1]) ??
      problemOfRegisters(operation, instruction, slots, at);
    if (problem !== undefined) return refuse(at, problem);
    operations[at] = operation;
    at += slotsOf(instruction);
  }
  return problemOfFlow(slots, operations, refuse);
}

/** Whether the opcode is no good, or only a field that chooses among its variants. */
function reasonOfUnknown(instruction: RawInstruction): string {
  for (const imm of [0, 16]) {
    if (operationOf({ ...instruction, src: 0, offset: 0, imm }) !== undefined)
      return 'a field that selects the operation has a reserved value';
  }
  return 'unknown opcode';
}

function problemOfRegisters(
  operation: Operation,
  instruction: RawInstruction,
  slots: readonly RawInstruction[],
  at: number,
): string | undefined {
  const { dst, src } = instruction;
  if (dst === KEY_REGISTER || (src === KEY_REGISTER && operation.kind !== 'constant'))
    return namesKey(operation, slots, at) ? undefined : 'r11 only names the key of a static branch';
  if (dst > KEY_REGISTER) return `R${dst} is no register`;
  if (src > KEY_REGISTER) return `R${src} is no register`;
  return writtenRegister(operation, instruction) === FRAME ? 'R10 is read-only' : undefined;
}

const FRAME = 10;

/** Either half of `r11 = key ll; if r11 == r11 goto`. */
function namesKey(operation: Operation, slots: readonly RawInstruction[], at: number): boolean {
  const jump = operation.kind === 'constant' ? at + 2 : at;
  return slots[jump]?.dst === KEY_REGISTER && siteAt(slots, jump) !== undefined;
}

function writtenRegister(operation: Operation, { dst, src }: RawInstruction): number | undefined {
  switch (operation.kind) {
    case 'store':
    case 'branch':
      return undefined;
    case 'atomic':
      // cmpxchg gives what it fetched to r0.
      return operation.fetch && operation.op !== 'cmpxchg' ? src : undefined;
    default:
      return dst;
  }
}

function problemOfFlow(
  slots: readonly RawInstruction[],
  operations: readonly (Operation | undefined)[],
  refuse: (instruction: number, reason: string) => Refusal,
): Refusal | undefined {
  const starts = startsOfSubprograms(slots);
  let current = 0;
  for (const [at, instruction] of slots.entries()) {
    const operation = operations[at];
    if (operation === undefined) continue;
    while (at >= (starts[current + 1] ?? Number.POSITIVE_INFINITY)) current += 1;
    const first = starts[current] ?? 0;
    const end = starts[current + 1] ?? slots.length;
    const target = targetOf(operation, instruction, at);
    if (target !== undefined) {
      const entry = operation.kind === 'call' || operation.kind === 'constant';
      const [from, to] = entry ? [0, slots.length] : [first, end];
      if (target < 0 || target >= slots.length) return refuse(at, `jump out of range to ${target}`);
      if (operations[target] === undefined)
        return refuse(at, `jump into the middle of the constant at ${target - 1}`);
      if (target < from || target >= to)
        return refuse(at, `jump to ${target}, out of the function`);
    }
    if (at + slotsOf(instruction) >= end && !endsHere(operation))
      return refuse(at, 'falls off the end of the function: neither an exit nor a goto');
  }
  return undefined;
}

function targetOf(
  operation: Operation,
  { offset, imm }: RawInstruction,
  at: number,
): number | undefined {
  switch (operation.kind) {
    case 'goto':
      return at + 1 + operation.distance;
    case 'branch':
      return at + 1 + offset;
    case 'call':
      return operation.callee === 'subprogram' ? at + 1 + imm : undefined;
    case 'constant':
      return operation.of === 'subprogram' ? at + 1 + imm : undefined;
    default:
      return undefined;
  }
}

function endsHere(operation: Operation): boolean {
  return (
    operation.kind === 'exit' || (operation.kind === 'goto' && operation.selectable === undefined)
  );
}

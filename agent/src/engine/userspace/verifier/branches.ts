import type { RawInstruction } from '#agent/object/instructions.ts';
import type { Branch, Comparison } from '../isa/opcodes.ts';
import { type Dependencies, NONE, union } from './dependencies.ts';
import { refinePacketRange } from './packet-range.ts';
import {
  AT_PACKET_END,
  BEHIND_PACKET_END,
  changed,
  isPointer,
  type Register,
  scalarRegister,
  UNINITIALISED,
} from './register.ts';
import {
  constant,
  isContradiction,
  isZero,
  type Scalar,
  scalar,
  UNBOUNDED_32,
  UNBOUNDED_64,
} from './scalar.ts';
import { arithmetic } from './scalar-arithmetic.ts';
import { assume, isTaken } from './scalar-compare.ts';
import { type Frame, replaceRegisters, type State } from './state.ts';
import type { Walk } from './walk.ts';

/** The two operands of a conditional jump. */
interface Operands {
  readonly left: Register;
  readonly right: Register;
  readonly rightIsRegister: boolean;
}

/** The direction that it always takes; undefined when both must be walked. check_cond_jmp_op() */
export function decideBranch(
  walk: Walk,
  operation: Branch,
  instruction: RawInstruction,
): boolean | undefined {
  const { op, is64 } = operation;
  const { left, right, rightIsRegister } = operands(walk, operation, instruction);
  const taken =
    left.kind === 'scalar' && right.kind === 'scalar'
      ? isTaken(op, is64, left.number, right.number)
      : decidePointers(op, is64, left, right);
  if (taken === undefined) return undefined;
  // The other side is not looked at because of these numbers.
  if (!isPointer(left)) walk.requirePrecise(walk.sources(instruction.dst));
  if (rightIsRegister && !isPointer(right)) walk.requirePrecise(walk.sources(instruction.src));
  return taken;
}

function operands(walk: Walk, { source }: Branch, { dst, src }: RawInstruction): Operands {
  const rightIsRegister = source === 'reg';
  const right = rightIsRegister ? walk.read(src) : walk.immediate();
  return { left: walk.read(dst), right, rightIsRegister };
}

/** is_pkt_ptr_branch_taken(), and a pointer that is known not to be 0. */
function decidePointers(
  op: Comparison,
  is64: boolean,
  left: Register,
  right: Register,
): boolean | undefined {
  if (!is64) return undefined;
  if (left.kind === 'packet-end' || right.kind === 'packet-end') {
    const decided =
      right.kind === 'packet-end' ? decideAtEnd(op, left) : decideAtEnd(FLIPPED[op] ?? op, right);
    if (decided !== undefined) return decided;
  }
  const [pointer, number] = isPointer(left) ? [left, right] : [right, left];
  if (number.kind !== 'scalar' || !isZero(number.number) || pointer.orNull) return undefined;
  if (op === 'eq') return false;
  return op === 'ne' ? true : undefined;
}

/** The same comparison with its sides exchanged. */
const FLIPPED: Readonly<Partial<Record<Comparison, Comparison>>> = {
  gt: 'lt',
  ge: 'le',
  lt: 'gt',
  le: 'ge',
};

function decideAtEnd(op: Comparison, { kind, range }: Register): boolean | undefined {
  if (kind !== 'packet' || range >= 0) return undefined;
  // At the end, or maybe behind it; with BEHIND_PACKET_END behind it for certain.
  switch (op) {
    case 'le':
      return range === BEHIND_PACKET_END ? false : undefined;
    case 'gt':
      return range === BEHIND_PACKET_END ? true : undefined;
    case 'lt':
      return range === BEHIND_PACKET_END || range === AT_PACKET_END ? false : undefined;
    case 'ge':
      return range === BEHIND_PACKET_END || range === AT_PACKET_END ? true : undefined;
    default:
      return undefined;
  }
}

/** What is known on one side of a conditional jump. Changes the state, which is that of this side alone. */
export function assumeBranch(
  walk: Walk,
  state: State,
  operation: Branch,
  instruction: RawInstruction,
  taken: boolean,
): void {
  const { op, is64, source } = operation;
  const { dst, src } = instruction;
  const frame = state.frames[state.frames.length - 1];
  const left = frame?.registers[dst];
  const right = source === 'reg' ? frame?.registers[src] : walk.immediate();
  if (frame === undefined || left === undefined || right === undefined) return;
  if (left.kind === 'scalar' && right.kind === 'scalar') {
    assumeNumbers(state, frame, operation, instruction, left, right, taken);
    return;
  }
  if (!is64) return;
  if (op === 'eq' || op === 'ne') {
    const isEqual = taken === (op === 'eq');
    // A register's number does not say that a pointer is 0: it may be 0 on this way alone.
    if (source === 'reg') assumePointersEqual(state, left, right, isEqual);
    else if (left.orNull && isZero(right.number)) resolveNull(state, left.id, isEqual);
  }
  refinePacketRange(state, op, taken, left, right);
}

function assumeNumbers(
  state: State,
  frame: Frame,
  { op, is64, source }: Branch,
  { dst, src }: RawInstruction,
  left: Register,
  right: Register,
  taken: boolean,
): void {
  // A number compared with itself: the kernel sees no difference between the sides.
  if (source === 'reg' && src === dst) return;
  const [a, b] = assume(op, is64, taken, left.number, right.number).map(possible);
  if (a === undefined || b === undefined) return;
  const both =
    source === 'reg'
      ? union(frame.registerSources[dst] ?? NONE, frame.registerSources[src] ?? NONE)
      : (frame.registerSources[dst] ?? NONE);
  refineRegister(state, frame, dst, left, a, both);
  if (source === 'reg') refineRegister(state, frame, src, right, b, both);
}

/** reg_bounds_sanity_check(): bounds that cannot be are not believed; no run comes here. */
const possible = (number: Scalar): Scalar =>
  isContradiction(number) ? scalar(number.bits, { ...UNBOUNDED_64, ...UNBOUNDED_32 }) : number;

function refineRegister(
  state: State,
  frame: Frame,
  register: number,
  before: Register,
  number: Scalar,
  sources: Dependencies,
): void {
  if (number === before.number) return;
  const after = changed(before, { number });
  frame.registers[register] = after;
  frame.registerSources[register] = sources;
  if (after.id !== 0) refineLinked(state, after, sources);
}

/** Other copies of the number, in registers and on the stack: sync_linked_regs(). */
function refineLinked(state: State, known: Register, sources: Dependencies): void {
  const refine = (register: Register): Register | undefined => {
    if (register === known || register.kind !== 'scalar' || register.id !== known.id)
      return undefined;
    if (register.offset === known.offset) return changed(known, {});
    const distance = constant(BigInt(register.offset - known.offset));
    const number = arithmetic('add', true, known.number, distance);
    return changed(register, { number });
  };
  for (const frame of state.frames) {
    frame.registers.forEach((register, n) => {
      const refined = refine(register);
      if (refined === undefined) return;
      frame.registers[n] = refined;
      frame.registerSources[n] = union(frame.registerSources[n] ?? NONE, sources);
    });
    frame.stack.forEach((slot, n) => {
      const spilled = slot?.spilled && refine(slot.spilled);
      if (slot === undefined || spilled === undefined) return;
      frame.stack[n] = { types: slot.types, spilled };
      frame.slotSources[n] = union(frame.slotSources[n] ?? NONE, sources);
    });
  }
}

/** Two pointers of which only one may be 0 are both not 0 when they are equal: mark_ptr_not_null_reg(). */
function assumePointersEqual(
  state: State,
  left: Register,
  right: Register,
  isEqual: boolean,
): void {
  const arePointers = isPointer(left) && isPointer(right);
  if (arePointers && isEqual && left.orNull !== right.orNull)
    resolveNull(state, left.orNull ? left.id : right.id, false);
}

/** mark_ptr_or_null_regs() */
function resolveNull(state: State, id: number, isNull: boolean): void {
  let reference = 0;
  replaceRegisters(state, (register) => {
    if (!register.orNull || register.id !== id) return register;
    reference = register.reference;
    if (isNull) return scalarRegister(constant(0n));
    return changed(register, { orNull: false, id: 0 });
  });
  if (isNull && reference !== 0) {
    const index = state.references.indexOf(reference);
    if (index >= 0) state.references.splice(index, 1);
  }
}

/** The register that a site compares holds nothing of use: engines need not load it. */
export function loseRegister(walk: Walk, register: number): void {
  if (register < 10) walk.write(register, UNINITIALISED);
}

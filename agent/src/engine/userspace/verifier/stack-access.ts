import { type Dependencies, NONE, union } from './dependencies.ts';
import { ANY_SCALAR, changed, isPointer, type Register, scalarRegister } from './register.ts';
import { constant, isZero, knownValue } from './scalar.ts';
import {
  EMPTY_SLOT,
  fill,
  MISC,
  SLOT_BYTES,
  type Slot,
  SPILL,
  spill,
  spilledBytes,
  typeAt,
  ZERO,
} from './stack-slot.ts';
import { type Frame, MAX_STACK } from './state.ts';
import type { Walk } from './walk.ts';

/** What a load gives, and what it depends on. */
export interface Loaded {
  readonly value: Register;
  readonly sources: Dependencies;
}

const ZERO_SCALAR = scalarRegister(constant(0n));

/** Offsets are from the frame pointer: -8 is the first slot. */
const slotOf = (offset: number): number => Math.floor((-offset - 1) / SLOT_BYTES);
const byteOf = (offset: number): number => (offset + MAX_STACK) % SLOT_BYTES;

/** Lowest and highest offset that a stack pointer may have. check_stack_access_within_bounds() */
export function stackBounds(
  walk: Walk,
  name: string,
  pointer: Register,
  offset: number,
  size: number,
  what: 'read from' | 'write to',
): readonly [number, number] {
  const { number } = pointer;
  const isFixed = number.bits.mask === 0n;
  if (!isFixed && (number.smax >= MAX_VARIABLE || number.smin <= -MAX_VARIABLE))
    walk.refuse(`invalid unbounded variable-offset ${what} stack ${name}`);
  const least = Number(number.smin) + pointer.offset + offset;
  const most = Number(number.smax) + pointer.offset + offset;
  if (least < -MAX_STACK || most + size > 0 || (size > 0 && most >= 0)) {
    const where = isFixed ? `off=${least}` : `var_off between ${least} and ${most}`;
    walk.refuse(`invalid ${what} stack ${name} ${where} size=${size}`);
  }
  growStack(walk, walk.frameAt(pointer.frame), least);
  return [least, most];
}

const MAX_VARIABLE = 1n << 29n;

function growStack(walk: Walk, frame: Frame, least: number): void {
  walk.stackDepth[frame.fn] = Math.max(walk.stackDepth[frame.fn] ?? 0, -least);
}

/** check_stack_write_fixed_off() */
export function writeStack(
  walk: Walk,
  frame: Frame,
  offset: number,
  bytes: number,
  value: Register,
  sources: Dependencies,
): void {
  const slot = slotOf(offset);
  const before = frame.stack[slot] ?? EMPTY_SLOT;
  const isAligned = byteOf(offset) === 0;
  if (isPointer(value)) {
    if (bytes !== SLOT_BYTES) walk.refuse('invalid size of register spill');
    if (value.kind === 'stack' && frame !== walk.frame)
      walk.refuse('cannot spill pointers to stack into stack frame of the caller');
  }
  if (isPointer(value) || isAligned) {
    const fits = isPointer(value) || value.number.umax < 1n << BigInt(bytes * 8);
    put(
      frame,
      slot,
      spill(before, fits ? value : changed(value, { id: 0, offset: 0 }), bytes),
      sources,
    );
    return;
  }
  const zero = isZero(value.number);
  // That it is a zero is noted, whatever the number is on other ways.
  if (zero) walk.requirePrecise(sources);
  put(frame, slot, fill(before, byteOf(offset), bytes, zero ? ZERO : MISC), NONE);
}

/** Anywhere in a range of offsets: check_stack_write_var_off(). */
export function writeStackSomewhere(
  walk: Walk,
  frame: Frame,
  least: number,
  end: number,
  value: Register,
  sources: Dependencies,
): void {
  const zero = value.kind === 'scalar' && isZero(value.number);
  let usesZero = false;
  for (let offset = least; offset < end; offset++) {
    const slot = slotOf(offset);
    const before = frame.stack[slot] ?? EMPTY_SLOT;
    const type = typeAt(before, byteOf(offset));
    const keepsZero = zero && type === ZERO;
    const keepsSpill =
      zero && type === SPILL && before.spilled?.kind === 'scalar' && isZero(before.spilled.number);
    usesZero ||= keepsZero || keepsSpill;
    if (keepsSpill) continue;
    put(frame, slot, fill(before, byteOf(offset), 1, keepsZero ? ZERO : MISC), NONE);
  }
  if (usesZero) walk.requirePrecise(sources);
}

function put(frame: Frame, slot: number, value: Slot, sources: Dependencies): void {
  for (let n = frame.stack.length; n < slot; n++) {
    frame.stack[n] = undefined;
    frame.slotSources[n] = NONE;
  }
  frame.stack[slot] = value;
  frame.slotSources[slot] = sources;
}

/** check_stack_read_fixed_off(). A number comes as it is in memory: the caller cuts or extends it. */
export function readStack(walk: Walk, frame: Frame, offset: number, bytes: number): Loaded {
  const slot = slotOf(offset);
  const found = frame.stack[slot] ?? EMPTY_SLOT;
  const { spilled } = found;
  const inSpill = spilledBytes(found);
  if (spilled === undefined || inSpill === 0) return readBytes(walk, frame, offset, bytes);
  const sources = frame.slotSources[slot] ?? NONE;
  if (bytes === SLOT_BYTES && inSpill === SLOT_BYTES) return { value: spilled, sources };
  if (spilled.kind !== 'scalar') walk.refuse('invalid size of register fill');
  if (byteOf(offset) === 0 && bytes <= inSpill) {
    const keepsId = spilled.number.umax < 1n << BigInt(bytes * 8);
    return { value: keepsId ? spilled : changed(spilled, { id: 0, offset: 0 }), sources };
  }
  return readBytes(walk, frame, offset, bytes);
}

/** Bytes that are not one number: zero when all are known to be, else anything. mark_reg_stack_read() */
export function readBytes(walk: Walk, frame: Frame, least: number, bytes: number): Loaded {
  let sources = NONE;
  for (let offset = least; offset < least + bytes; offset++) {
    const slot = slotOf(offset);
    const found = frame.stack[slot] ?? EMPTY_SLOT;
    const type = typeAt(found, byteOf(offset));
    if (type === SPILL && found.spilled?.kind === 'scalar' && isZero(found.spilled.number))
      sources = union(sources, frame.slotSources[slot] ?? NONE);
    else if (type !== ZERO) return { value: ANY_SCALAR, sources: NONE };
  }
  walk.requirePrecise(sources);
  return { value: ZERO_SCALAR, sources: NONE };
}

/** A helper writes these bytes, or may. */
export function clobberStackRange(frame: Frame, least: number, end: number): void {
  for (let offset = least; offset < end; offset++) {
    const slot = slotOf(offset);
    put(frame, slot, fill(frame.stack[slot] ?? EMPTY_SLOT, byteOf(offset), 1, MISC), NONE);
  }
}

/**
 * The number in these bytes when they are all of it and it is the same on every way that comes here:
 * get_constant_map_key().
 */
export function constantOnStack(
  walk: Walk,
  { kind, number, offset, frame }: Register,
  bytes: number,
): bigint | undefined {
  if (kind !== 'stack' || number.bits.mask !== 0n) return undefined;
  const { stack, slotSources } = walk.frameAt(frame);
  const at = offset + Number(number.smin);
  const slot = slotOf(at);
  const found = stack[slot] ?? EMPTY_SLOT;
  const from = byteOf(at);
  if (from + bytes > SLOT_BYTES) return undefined;
  const all = (type: number) =>
    Array.from({ length: bytes }, (_, n) => typeAt(found, from + n)).every((each) => each === type);
  if (all(ZERO)) return 0n;
  if (!all(SPILL) || from !== 0 || spilledBytes(found) !== bytes) return undefined;
  const known = found.spilled?.kind === 'scalar' ? knownValue(found.spilled.number) : undefined;
  if (known !== undefined) walk.requirePrecise(slotSources[slot] ?? NONE);
  return known === undefined ? undefined : BigInt.asUintN(bytes * 8, known);
}

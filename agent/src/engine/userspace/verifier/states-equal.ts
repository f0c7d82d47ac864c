import type { Checkpoint } from './checkpoint.ts';
import { registerPlace, slotPlace } from './dependencies.ts';
import { isPacket, type Register } from './register.ts';
import { includes, same } from './scalar.ts';
import {
  EMPTY_SLOT,
  INVALID,
  MISC,
  SLOT_BYTES,
  type Slot,
  SPILL,
  typeAt,
  wholeScalar,
} from './stack-slot.ts';
import { FRAME_POINTER, type Frame, type State } from './state.ts';

/**
 * Whether all that was found safe from an old state on is safe from the current one on: the old one allows whatever the
 * current one does. states_equal() of kernel/bpf/verifier.c.
 */
export function covers(old: Checkpoint, current: State, exactness: Exactness): boolean {
  const { frames, references } = old.state;
  if (frames.length !== current.frames.length) return false;
  if (references.length !== current.references.length) return false;
  const comparison = new Comparison(old.precise, exactness);
  for (let n = 0; n < frames.length; n++) {
    const [a, b] = [frames[n], current.frames[n]];
    if (a === undefined || b === undefined || !comparison.coversFrame(a, b)) return false;
  }
  return references.every((id, n) => comparison.sameId(id, current.references[n] ?? 0));
}

/**
 * - `numbers`: numbers on which nothing rests may differ, which is known only when all ways of the old state are walked.
 * - `ranges`: each number is in the range of the old one.
 * - `same`: nothing differs, as in a loop that makes no progress.
 */
export type Exactness = 'numbers' | 'ranges' | 'same';

class Comparison {
  readonly #precise: ReadonlySet<number>;
  readonly #exactness: Exactness;
  /** Pairs, of the old state and of the current one: struct bpf_idmap. There are few. */
  readonly #ids: number[] = [];
  #lastMadeUp = 0;

  constructor(precise: ReadonlySet<number>, exactness: Exactness) {
    this.#precise = precise;
    this.#exactness = exactness;
  }

  coversFrame(old: Frame, current: Frame): boolean {
    if (old.callSite !== current.callSite || old.fn !== current.fn) return false;
    for (let n = 0; n < FRAME_POINTER; n++) {
      const [a, b] = [old.registers[n], current.registers[n]];
      if (a === undefined || b === undefined) return false;
      if (a === b && a.id === 0 && a.reference === 0) continue;
      if (!this.#coversRegister(a, b, registerPlace(old.number, n))) return false;
    }
    const slots = Math.max(old.stack.length, this.#exactness === 'same' ? current.stack.length : 0);
    for (let n = 0; n < slots; n++) {
      const [a, b] = [old.stack[n] ?? EMPTY_SLOT, current.stack[n] ?? EMPTY_SLOT];
      if (a === b && a.spilled === undefined) continue;
      if (!this.#coversSlot(a, b, slotPlace(old.number, n))) return false;
    }
    return true;
  }

  /** regsafe() */
  #coversRegister(old: Register, current: Register, place: number): boolean {
    // Nothing reads it any more, or nothing could.
    if (old.kind === 'uninitialised') return true;
    if (this.#exactness === 'same') return this.#isSame(old, current);
    if (old.kind !== current.kind || old.orNull !== current.orNull) return false;
    if (old.kind === 'scalar') return this.#coversScalar(old, current, place);
    if (old.kind === 'stack') return this.#isSame(old, current) && old.frame === current.frame;
    if (old.kind === 'context' || old.kind === 'map' || old.kind === 'packet-end')
      return this.#isSame(old, current);
    return (
      (!isPacket(old) || coversRange(old.range, current.range)) &&
      old.offset === current.offset &&
      old.map === current.map &&
      old.fn === current.fn &&
      old.size === current.size &&
      old.readOnly === current.readOnly &&
      includes(old.number, current.number) &&
      this.sameId(old.id, current.id) &&
      this.sameId(old.reference, current.reference)
    );
  }

  #coversScalar(old: Register, current: Register, place: number): boolean {
    // Any number will do where nothing rested on it.
    if (this.#exactness === 'numbers' && !this.#precise.has(place)) return true;
    if (old.id !== 0 && old.offset !== current.offset) return false;
    return includes(old.number, current.number) && this.#sameScalarId(old.id, current.id);
  }

  #isSame(a: Register, b: Register): boolean {
    if (a === b) return this.sameId(a.id, b.id);
    return (
      a.kind === b.kind &&
      a.orNull === b.orNull &&
      a.offset === b.offset &&
      a.range === b.range &&
      a.map === b.map &&
      a.fn === b.fn &&
      a.size === b.size &&
      a.frame === b.frame &&
      a.readOnly === b.readOnly &&
      same(a.number, b.number) &&
      this.sameId(a.id, b.id) &&
      this.sameId(a.reference, b.reference)
    );
  }

  /** check_ids(): registers that belong together in the old state do in the current one. */
  sameId(old: number, current: number): boolean {
    if (old === 0 || current === 0) return old === current;
    for (let n = 0; n < this.#ids.length; n += 2) {
      if (this.#ids[n] === old) return this.#ids[n + 1] === current;
      if (this.#ids[n + 1] === current) return false;
    }
    this.#ids.push(old, current);
    return true;
  }

  /** check_scalar_ids(): links that the old state did not have do no harm. */
  #sameScalarId(old: number, current: number): boolean {
    if (old === 0) return true;
    if (current !== 0) return this.sameId(old, current);
    this.#lastMadeUp -= 1;
    return this.sameId(old, MADE_UP + this.#lastMadeUp);
  }

  /** stacksafe() */
  #coversSlot(old: Slot, current: Slot, place: number): boolean {
    if (this.#exactness === 'same' && old.types !== current.types) return false;
    const [a, b] = [wholeScalar(old), wholeScalar(current)];
    if (a !== undefined && b !== undefined) return this.#coversRegister(a, b, place);
    for (let byte = 0; byte < SLOT_BYTES; byte++) {
      const [was, is] = [typeAt(old, byte), typeAt(current, byte)];
      // Bytes of which nothing is known may be anything, even never written.
      if (was !== is && was !== INVALID && was !== MISC) return false;
    }
    const { spilled } = old;
    if (typeAt(old, 0) !== SPILL || spilled === undefined) return true;
    return current.spilled !== undefined && this.#coversRegister(spilled, current.spilled, place);
  }
}

/** A range below 0 says that the pointer is at the end of the packet, or behind it. */
const coversRange = (old: number, current: number): boolean =>
  old < 0 || current < 0 ? old === current : old <= current;

/** Ids of no register. */
const MADE_UP = -1_000_000_000;

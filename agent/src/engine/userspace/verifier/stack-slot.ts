import { ANY_SCALAR, type Register } from './register.ts';

/** What a byte of the stack holds, BPF's STACK_*. */
export const INVALID = 0;
/** Some number. */
export const MISC = 1;
/** A zero. */
export const ZERO = 2;
/** A byte of `spilled`. */
export const SPILL = 3;
export type ByteType = typeof INVALID | typeof MISC | typeof ZERO | typeof SPILL;

export const SLOT_BYTES = 8;

/** Eight aligned bytes of the stack: struct bpf_stack_state. Never changed; states share it. */
export interface Slot {
  /** Four bits a byte, the byte at the lowest address in the lowest bits. */
  readonly types: number;
  /** Its low bytes are where the type says so, from the lowest address up. */
  readonly spilled: Register | undefined;
}

export const EMPTY_SLOT: Slot = { types: 0, spilled: undefined };

export const typeAt = (slot: Slot, byte: number): number => (slot.types >>> (byte * 4)) & 0xf;

/** A register in the lowest bytes. Those above that were a part of another register are some number now. */
export function spill(before: Slot, register: Register, bytes: number): Slot {
  let types = 0;
  for (let byte = 0; byte < SLOT_BYTES; byte++)
    types |= (byte < bytes ? SPILL : scrubbed(typeAt(before, byte))) << (byte * 4);
  return { types, spilled: register };
}

/** Bytes of one type; a register that was there is in pieces. */
export function fill(before: Slot, from: number, bytes: number, type: ByteType): Slot {
  let types = 0;
  for (let byte = 0; byte < SLOT_BYTES; byte++) {
    const written = byte >= from && byte < from + bytes;
    types |= (written ? type : scrubbed(typeAt(before, byte))) << (byte * 4);
  }
  return { types, spilled: undefined };
}

/** scrub_spilled_slot() */
const scrubbed = (type: number): number => (type === SPILL ? MISC : type);

/** Bytes of the register that is spilled here, 0 when there is none. */
export function spilledBytes(slot: Slot): number {
  if (slot.spilled === undefined) return 0;
  let bytes = 0;
  while (bytes < SLOT_BYTES && typeAt(slot, bytes) === SPILL) bytes++;
  return bytes;
}

const ALL_SPILL = 0x3333_3333;

/** The slot as one number where it is one: scalar_reg_for_stack(). */
export function wholeScalar(slot: Slot): Register | undefined {
  if (slot.types === ALL_SPILL && slot.spilled?.kind === 'scalar') return slot.spilled;
  // What was never written may be read, too, and is some number.
  for (let byte = 0; byte < SLOT_BYTES; byte++) {
    const type = typeAt(slot, byte);
    if (type !== MISC && type !== INVALID) return undefined;
  }
  return slot.types === 0 ? undefined : ANY_SCALAR;
}

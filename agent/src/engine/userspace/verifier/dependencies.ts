/**
 * Where a number came from, since the last checkpoint: the registers and stack slots of the checkpoint of which it was
 * made. Kept along with each register and slot, so that what must be precise is known without going back through the
 * instructions, as the kernel's mark_chain_precision() does.
 *
 * Sorted places; a place is a register or slot of a frame.
 */
export type Dependencies = readonly number[];

export const NONE: Dependencies = [];

/** r0 to r9 and 64 slots of 8 bytes. */
const PLACES_OF_FRAME = 80;
const FIRST_SLOT = 16;

export const registerPlace = (frame: number, register: number): number =>
  frame * PLACES_OF_FRAME + register;

export const slotPlace = (frame: number, slot: number): number =>
  frame * PLACES_OF_FRAME + FIRST_SLOT + slot;

/** @returns a register from 0, or a slot below 0: -1 is slot 0 */
export function placeOf(place: number): { frame: number; register?: number; slot?: number } {
  const inside = place % PLACES_OF_FRAME;
  const frame = Math.floor(place / PLACES_OF_FRAME);
  return inside < FIRST_SLOT ? { frame, register: inside } : { frame, slot: inside - FIRST_SLOT };
}

const MAX_FRAMES = 8;

/** One for each place: what a register of a checkpoint is made of is itself. */
const SELF: readonly Dependencies[] = Array.from(
  { length: MAX_FRAMES * PLACES_OF_FRAME },
  (_, place) => [place],
);

/** What the registers of a frame depend on at a checkpoint. */
export const OWN_REGISTERS: readonly (readonly Dependencies[])[] = Array.from(
  { length: MAX_FRAMES },
  (_, frame) => SELF.slice(registerPlace(frame, 0), registerPlace(frame, 11)),
);

/** What the stack slots of a frame depend on at a checkpoint. */
export const OWN_SLOTS: readonly (readonly Dependencies[])[] = Array.from(
  { length: MAX_FRAMES },
  (_, frame) => SELF.slice(slotPlace(frame, 0), slotPlace(frame, 64)),
);

export function union(a: Dependencies, b: Dependencies): Dependencies {
  if (a === b || b.length === 0) return a;
  if (a.length === 0) return b;
  if (b.every((place) => a.includes(place))) return a;
  return [...new Set([...a, ...b])];
}

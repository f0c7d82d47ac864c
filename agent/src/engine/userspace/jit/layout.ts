import { X64 } from './x64.ts';

/** Where code of a size that depends on places goes between the fixed bytes. */
export type Seam =
  /** `condition` as in Jcc. */
  | { readonly kind: 'jump'; readonly condition: number | 'always'; readonly target: number }
  /** Of the function that begins at a slot. */
  | { readonly kind: 'call'; readonly target: number }
  /**
   * What makes the site `ahead` fixed bytes from here begin where its 5 bytes are within one aligned word: prefixes of
   * the instruction before it, or else a nop.
   */
  | { readonly kind: 'pad'; readonly ahead: number }
  /** A nop, or a jump to the target. */
  | { readonly kind: 'site'; readonly target: number; readonly taken: boolean };

/** A place between the fixed bytes, and before the seam of that number. */
export interface Place {
  readonly at: number;
  readonly seam: number;
}

/** Code under construction: fixed bytes, what goes between them, and where the slots of the program are. */
export interface Draft {
  readonly fixed: X64;
  /** Ascending by `at`. */
  readonly seams: readonly { readonly at: number; readonly seam: Seam }[];
  /** By slot; a second half of a constant has the place of what follows. */
  readonly slots: readonly Place[];
  /** By first slot: before the prologue. */
  readonly functions: ReadonlyMap<number, Place>;
}

export interface Layout {
  readonly code: Uint8Array;
  offsetOf(place: Place): number;
}

const WORD = 8;
export const SITE_BYTES = 5;
const SHORT_JUMP = 2;
/** Without meaning in 64-bit mode, and not one of those that change an instruction's length. */
const DS_PREFIX = 0x3e;

/**
 * Jumps begin short and grow where they do not reach. None shrinks again, whatever the padding does, so it ends.
 */
export function layOut(draft: Draft): Layout {
  const { seams, slots, functions } = draft;
  const sizes = new Uint8Array(seams.length);
  for (const [index, { seam }] of seams.entries()) sizes[index] = initialSize(seam);
  /** Bytes of the first n seams. */
  const shift = new Int32Array(seams.length + 1);
  const offsetOf = ({ at, seam }: Place) => at + (shift[seam] ?? 0);
  const targetOf = (seam: Seam): number => {
    if (seam.kind === 'pad') return 0;
    const place = seam.kind === 'call' ? functions.get(seam.target) : slots[seam.target];
    if (place === undefined) throw new RangeError(`nothing at slot ${seam.target}`);
    return offsetOf(place);
  };
  let grown: boolean;
  do {
    for (const [index, { at, seam }] of seams.entries()) {
      const before = shift[index] ?? 0;
      if (seam.kind === 'pad') sizes[index] = paddingAt(at + before + seam.ahead);
      shift[index + 1] = before + (sizes[index] ?? 0);
    }
    grown = false;
    for (const [index, { at, seam }] of seams.entries()) {
      if (seam.kind !== 'jump' || sizes[index] !== SHORT_JUMP) continue;
      const distance = targetOf(seam) - (at + (shift[index + 1] ?? 0));
      if (distance === (distance << 24) >> 24) continue;
      sizes[index] = seam.condition === 'always' ? 5 : 6;
      grown = true;
    }
  } while (grown);

  const code = new X64();
  let copied = 0;
  for (const [index, { at, seam }] of seams.entries()) {
    code.append(draft.fixed.bytes.subarray(copied, at));
    copied = at;
    const size = sizes[index] ?? 0;
    writeSeam(code, seam, size, targetOf(seam) - (code.length + size));
  }
  code.append(draft.fixed.bytes.subarray(copied));
  return { code: code.bytes, offsetOf };
}

function initialSize(seam: Seam): number {
  if (seam.kind === 'pad') return 0;
  return seam.kind === 'jump' ? SHORT_JUMP : SITE_BYTES;
}

function paddingAt(offset: number): number {
  const inWord = offset % WORD;
  return inWord <= WORD - SITE_BYTES ? 0 : WORD - inWord;
}

/** `distance` is from the end of the seam. */
function writeSeam(code: X64, seam: Seam, size: number, distance: number): void {
  if (seam.kind === 'pad') {
    if (seam.ahead === 0) code.append(nop(size));
    else code.append(new Uint8Array(size).fill(DS_PREFIX));
    return;
  }
  if (seam.kind === 'site') {
    code.append(siteBytes(seam.taken, distance));
    return;
  }
  if (seam.kind === 'call') code.byte(0xe8);
  else if (seam.condition === 'always') code.byte(size === SHORT_JUMP ? 0xeb : 0xe9);
  else if (size === SHORT_JUMP) code.byte(0x70 | seam.condition);
  else code.byte(0x0f, 0x80 | seam.condition);
  if (size === SHORT_JUMP) code.byte(distance & 0xff);
  else code.int32(distance);
}

/** What stands at a site: `jmp` over a distance from the site's end, or the one 5-byte nop. */
export function siteBytes(taken: boolean, distance: number): Uint8Array {
  if (!taken) return nop(SITE_BYTES);
  const bytes = new Uint8Array(SITE_BYTES);
  bytes[0] = 0xe9;
  new DataView(bytes.buffer).setInt32(1, distance, true);
  return bytes;
}

/** One instruction of 0 to 5 bytes (Intel SDM, NOP: recommended multi-byte sequences). */
function nop(size: number): Uint8Array {
  return Uint8Array.from(NOPS[size] ?? []);
}

const NOPS: readonly (readonly number[])[] = [
  [],
  [0x90],
  [0x66, 0x90],
  [0x0f, 0x1f, 0x00],
  [0x0f, 0x1f, 0x40, 0x00],
  [0x0f, 0x1f, 0x44, 0x00, 0x00],
];

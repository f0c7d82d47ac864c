import type { RawInstruction } from '#agent/object/instructions.ts';
import { type Operation, operationOf, slotsOf } from './opcodes.ts';

/** A static branch of a program. Slots are counted from the start of the program. */
export interface Site {
  /** The first slot that serves the site alone: that of the key's load, or the jump. */
  readonly start: number;
  /** Slot of the jump. */
  readonly instruction: number;
  /** Slot that it goes to when it is taken. */
  readonly target: number;
  /** "On" means fall through: a jump until the key is on. */
  readonly inverse: boolean;
}

/** Whether the site jumps while its key has this value. */
export function isTaken({ inverse }: Site, on: boolean): boolean {
  return on !== inverse;
}

/** A register that only names keys: no ordinary instruction may use it. */
export const KEY_REGISTER = 11;

/** The sites that the instructions alone make known: selectable gotos, and comparisons of r11 with itself. */
export function markedSites(slots: readonly RawInstruction[]): Site[] {
  const sites: Site[] = [];
  for (let at = 0; at < slots.length; ) {
    const instruction = slots[at];
    if (instruction === undefined) break;
    const operation = operationOf(instruction);
    const marked =
      (operation?.kind === 'goto' && operation.selectable !== undefined) ||
      (operation?.kind === 'branch' && instruction.dst === KEY_REGISTER);
    const site = marked ? siteAt(slots, at) : undefined;
    if (site !== undefined) sites.push(site);
    at += slotsOf(instruction);
  }
  return sites;
}

/**
 * The static branch whose jump is at a slot, in any of the encodings but a plain goto, which only a section of its
 * object makes one. Undefined: none there. A comparison of r0 with itself, or of what was loaded through
 * r0 with 0, is one only if someone says so: to the kernel it is an ordinary instruction.
 */
export function siteAt(slots: readonly RawInstruction[], instruction: number): Site | undefined {
  const jump = slots[instruction];
  const operation = jump && operationOf(jump);
  if (operation?.kind === 'goto') {
    if (operation.selectable === undefined) return undefined;
    const target = instruction + 1 + operation.distance;
    const inverse = operation.selectable === 'goto-or-nop';
    return { start: instruction, instruction, target, inverse };
  }
  if (operation?.kind !== 'branch' || !operation.is64 || jump === undefined) return undefined;
  if (operation.op !== 'eq' && operation.op !== 'ne') return undefined;
  const start = startOfComparison(slots, instruction, jump, operation);
  if (start === undefined) return undefined;
  const target = instruction + 1 + jump.offset;
  return { start, instruction, target, inverse: operation.op === 'eq' };
}

const LOAD_SLOTS = 2;

/** `rX = key ll; if rX == rX`, or `r0 = key ll; r0 = *(u32 *)(r0 +0); if r0 == 0`. */
function startOfComparison(
  slots: readonly RawInstruction[],
  instruction: number,
  { dst, src, imm }: RawInstruction,
  { source }: Operation & { readonly kind: 'branch' },
): number | undefined {
  const itself = source === 'reg' && dst === src && (dst === 0 || dst === KEY_REGISTER);
  if (itself) return loadsKey(slots, instruction - LOAD_SLOTS, dst);
  if (source !== 'imm' || dst !== 0 || imm !== 0) return undefined;
  const load = slots[instruction - 1];
  const operation = load && operationOf(load);
  if (operation?.kind !== 'load' || operation.bytes !== 4 || operation.signed) return undefined;
  if (load?.dst !== 0 || load.src !== 0 || load.offset !== 0) return undefined;
  return loadsKey(slots, instruction - 1 - LOAD_SLOTS, 0);
}

function loadsKey(
  slots: readonly RawInstruction[],
  at: number,
  register: number,
): number | undefined {
  const load = slots[at];
  if (load === undefined || load.dst !== register) return undefined;
  return operationOf(load)?.kind === 'constant' ? at : undefined;
}

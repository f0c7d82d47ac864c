import type { ByteView } from './byte-view.ts';
import { isSelectable } from './goto-encodings.ts';
import {
  decode,
  JA,
  JA32,
  JEQ_REG,
  JNE_REG,
  LD_IMM64,
  type RawInstruction,
  SLOT,
} from './instructions.ts';
import type { KeyVariables } from './key-variables.ts';
import { type Address, R_BPF_64_64, relocationAt, resolve } from './relocations.ts';
import { viewOf } from './sections.ts';
import { badSite } from './site-form.ts';
import type { BpfFunction, Section } from './spec.ts';

/** r0 and r11; a comparison of any other register with itself keeps its ordinary meaning. */
const REGISTERS = [0, 11];

const MAY_BE_MARKED: ReadonlySet<number> = new Set([JA, JA32, JEQ_REG, JNE_REG]);

/** A static branch that no table needs to name. */
export interface SelfCompare {
  /** Slots within the section. */
  readonly instruction: number;
  readonly target: number;
  readonly key: Address;
  readonly inverse: boolean;
}

/** Slots of `rX = key ll`. */
export const LOAD_SLOTS = 2;

/** What the instructions of a function alone say of static branches. */
export interface Marked {
  readonly compares: readonly SelfCompare[];
  /** Slots of gotos that are selectable: some table must name each of them. */
  readonly selectable: readonly number[];
}

/**
 * Looks through a function for `rX = key ll; if rX != rX goto` (a nop until the key is on) and
 * `if rX == rX goto` (a jump until then). Without the load of a key right before it, the comparison is an ordinary one.
 */
export function readMarked(
  sections: readonly Section[],
  variables: KeyVariables,
  section: Section,
  fn: BpfFunction,
): Marked {
  const code = viewOf(section);
  const compares: SelfCompare[] = [];
  const selectable: number[] = [];
  const end = fn.instruction + fn.length;
  let before: number | undefined;
  for (let slot = fn.instruction; slot < end; slot++) {
    const opcode = code.u8(slot * SLOT);
    if (opcode === LD_IMM64) {
      before = slot;
      slot++;
      continue;
    }
    if (!MAY_BE_MARKED.has(opcode)) continue;
    const instruction = decode(code, slot * SLOT);
    if (isSelectable(instruction)) selectable.push(slot);
    else if (before !== undefined && before + LOAD_SLOTS === slot && comparesItself(instruction)) {
      const key = loadedKey(sections, variables, section, code, before, instruction.dst);
      if (key !== undefined) compares.push(checked(code, fn, slot, instruction, key));
    }
  }
  return { compares, selectable };
}

const comparesItself = ({ opcode, dst, src }: RawInstruction): boolean =>
  (opcode === JEQ_REG || opcode === JNE_REG) && dst === src && REGISTERS.includes(dst);

/** The key whose address an ld_imm64 loads into the register; undefined when it does something else. */
function loadedKey(
  sections: readonly Section[],
  variables: KeyVariables,
  section: Section,
  code: ByteView,
  slot: number,
  register: number,
): Address | undefined {
  const { dst, src, imm } = decode(code, slot * SLOT);
  const relocation = relocationAt(section, slot * SLOT);
  if (dst !== register || src !== 0 || relocation?.type !== R_BPF_64_64) return undefined;
  const address = resolve(sections, relocation, imm);
  return address !== undefined && variables.has(address) ? address : undefined;
}

function checked(
  code: ByteView,
  fn: BpfFunction,
  slot: number,
  { opcode, offset, imm }: RawInstruction,
  key: Address,
): SelfCompare {
  const target = slot + 1 + offset;
  if (imm !== 0) throw badSite(code, slot * SLOT, 'a static branch with reserved bits: imm is set');
  if (target < fn.instruction || target >= fn.instruction + fn.length)
    throw badSite(code, slot * SLOT, `a static branch that jumps out of ${fn.name}`);
  return { instruction: slot, target, key, inverse: opcode === JEQ_REG };
}

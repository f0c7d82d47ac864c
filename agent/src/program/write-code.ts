import { CALL, JA32, SLOT } from '../object/instructions.ts';
import { slotsOf } from './instruction.ts';
import type { Layout } from './layout.ts';
import type { Instruction, LiftedFunction, SymbolUse } from './lifted.ts';

/** A relocation to be written, at an offset of its section. */
export interface PlacedRelocation extends SymbolUse {
  readonly offset: number;
}

export interface WrittenCode {
  readonly bytes: Uint8Array;
  readonly relocations: readonly PlacedRelocation[];
}

/** Encodes the functions of one section. `symbolValue` gives the value of a symbol, in bytes. */
export function writeCode(
  functions: readonly LiftedFunction[],
  size: number,
  layout: Layout,
  symbolValue: (symbol: number) => number,
): WrittenCode {
  const bytes = new Uint8Array(size * SLOT);
  const view = new DataView(bytes.buffer);
  const relocations: PlacedRelocation[] = [];
  let slot = 0;
  for (const { body } of functions) {
    for (const instruction of body) {
      const at = slot * SLOT;
      const { opcode, dst, src, relocation, wide } = instruction;
      const { offset, imm } = operands(instruction, slot, layout, symbolValue);
      view.setUint8(at, opcode);
      view.setUint8(at + 1, dst | (src << 4));
      view.setInt16(at + 2, offset, true);
      view.setInt32(at + 4, imm, true);
      if (wide !== undefined) view.setInt32(at + SLOT + 4, wide, true);
      if (relocation !== undefined) relocations.push({ offset: at, ...relocation });
      slot += slotsOf(instruction);
    }
  }
  return { bytes, relocations };
}

function operands(
  instruction: Instruction,
  slot: number,
  layout: Layout,
  symbolValue: (symbol: number) => number,
): { readonly offset: number; readonly imm: number } {
  const { opcode, offset, imm, target, callee, relocation } = instruction;
  if (target !== undefined) {
    const distance = isUnwrittenTarget(instruction) ? 0 : distanceTo(layout, slot, target);
    return opcode === JA32 ? { offset, imm: distance } : { offset: distance, imm };
  }
  const start = callee === undefined ? undefined : layout.starts.get(callee);
  if (start === undefined) return { offset, imm };
  if (relocation === undefined) return { offset, imm: start - slot - 1 };
  // The addends are those that libbpf applies, bpf_object__reloc_code().
  const addend = start * SLOT - symbolValue(relocation.symbol);
  return { offset, imm: opcode === CALL ? addend / SLOT - 1 : addend };
}

/** A `goto +0` of a KEY.static_branch section: only its entry knows where it goes. */
const isUnwrittenTarget = ({ site }: Instruction): boolean =>
  site?.encoding === 'section' && !site.inverse;

/** Slots from the end of the jump at `slot`. */
export const distanceTo = (layout: Layout, slot: number, target: Instruction): number =>
  layout.slotOf(target) - slot - 1;

import { decode, JA, JA32, type RawInstruction, SLOT } from './instructions.ts';
import type { SiteEntry } from './key-table.ts';
import { viewOf } from './sections.ts';
import { badSite, type SiteForm } from './site-form.ts';

/** Values of src_reg, from the RFC of 2025-03: BPF_STATIC_BRANCH_JA, and _NOP with it. */
const GOTO_OR_NOP = 1;
const NOP_OR_GOTO = 3;

const isGoto = (opcode: number): boolean => opcode === JA || opcode === JA32;

/** A goto that no plain program has: src_reg or dst_reg is set. */
export const isSelectable = ({ opcode, dst, src }: RawInstruction): boolean =>
  isGoto(opcode) && (src !== 0 || dst !== 0);

/**
 * Holds a `goto` of a section KEY.static_branch against its entry: `goto +0` is a nop until the key is
 * on, a `goto` to the target a jump until then.
 */
export function checkSectionGoto({ site, target }: SiteEntry): SiteForm {
  const code = viewOf(site.section);
  const jump = decode(code, site.offset);
  if (!isGoto(jump.opcode)) throw badSite(code, site.offset, 'a static branch that is not a goto');
  const distance = distanceOf(jump);
  if (distance === undefined)
    throw badSite(code, site.offset, 'both offset and imm of a goto are set');
  const wanted = (target.offset - site.offset) / SLOT - 1;
  if (distance !== 0 && distance !== wanted)
    throw badSite(
      code,
      site.offset,
      `a goto neither to +0 nor to 0x${target.offset.toString(16)}, as its entry says`,
    );
  return { encoding: 'section', inverse: distance !== 0, start: site.offset / SLOT };
}

/**
 * Holds a selectable goto against its entry and against what the RFC's tests refuse: reserved bits, a
 * destination register, both offset and imm, the wrong one of them, 0, or somewhere else.
 */
export function checkSelectableGoto({ site, target, inverse }: SiteEntry): SiteForm {
  const code = viewOf(site.section);
  const jump = decode(code, site.offset);
  const refuse = (what: string) => badSite(code, site.offset, `a selectable goto ${what}`);
  if (jump.src !== GOTO_OR_NOP && jump.src !== NOP_OR_GOTO)
    throw refuse(`with reserved bits: src_reg ${jump.src}, not 1 or 3`);
  if (jump.dst !== 0) throw refuse(`with dst_reg ${jump.dst}, not 0`);
  const distance = distanceOf(jump);
  if (distance === undefined) {
    const [right, wrong] = jump.opcode === JA ? ['offset', 'imm'] : ['imm', 'offset'];
    throw refuse(`with ${wrong} set, where only ${right} counts`);
  }
  if (distance === 0) throw refuse('to +0: offset 0 is not allowed');
  if (site.offset + SLOT * (1 + distance) !== target.offset)
    throw refuse(`that does not go to 0x${target.offset.toString(16)}, as its entry says`);
  const jumpsWhileOff = jump.src === GOTO_OR_NOP;
  if (inverse !== undefined && inverse !== jumpsWhileOff) {
    const [found, table] = inverse ? ['on', 'off'] : ['off', 'on'];
    throw refuse(`that is taken while the key is ${found}, in the table while ${table}`);
  }
  return { encoding: 'selectable-ja', inverse: jumpsWhileOff, start: site.offset / SLOT };
}

/** In slots; undefined when the field that does not count is set. */
function distanceOf({ opcode, offset, imm }: RawInstruction): number | undefined {
  const [distance, unused] = opcode === JA ? [offset, imm] : [imm, offset];
  return unused === 0 ? distance : undefined;
}

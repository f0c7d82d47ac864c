import { decode, JEQ_IMM, JNE_IMM, LD_IMM64, LDX_W, SLOT } from './instructions.ts';
import type { SiteEntry } from './key-table.ts';
import { R_BPF_64_64, relocationAt, resolve } from './relocations.ts';
import { viewOf } from './sections.ts';
import type { SiteForm } from './site-form.ts';
import type { BpfFunction, Section } from './spec.ts';

/** Slots of `rX = key ll; rX = *(u32 *)(rX + 0)`, which come before the jump. */
const TEST_SLOTS = 3;

/**
 * Holds a table entry against the code it names, which must be what skein.bpf.h emits:
 * `r0 = key ll; r0 = *(u32 *)(r0 + 0); if r0 != 0 goto target`, or `==` for an inverse entry, on r0 or
 * on whatever register was free where another encoding was turned into this one.
 * @throws SKEIN_BAD_OBJECT naming the slot that differs.
 */
export function checkDefault(
  sections: readonly Section[],
  { site, target, key, inverse }: SiteEntry,
  fn: BpfFunction,
): SiteForm {
  const code = viewOf(site.section);
  const jump = site.offset;
  const load = jump - SLOT;
  const name = jump - TEST_SLOTS * SLOT;

  const { opcode, dst, src, offset, imm } = decode(code, jump);
  const reg = `r${dst}`;
  if ((opcode !== JNE_IMM && opcode !== JEQ_IMM) || src !== 0 || imm !== 0)
    throw code.error(jump, 'a static branch that is not "if r0 != 0 goto" or "if r0 == 0 goto"');
  if (name < fn.instruction * SLOT)
    throw code.error(jump, `no room in ${fn.name} for the test of a key before this jump`);
  const jumpsWhileOff = opcode === JEQ_IMM;
  if (jumpsWhileOff !== inverse) {
    const [found, table] = inverse ? ['on', 'off'] : ['off', 'on'];
    throw code.error(
      jump,
      `the jump is taken while the key is ${found}, in the table while ${table}`,
    );
  }
  if (jump + SLOT * (1 + offset) !== target.offset)
    throw code.error(
      jump,
      `the jump does not go to 0x${target.offset.toString(16)}, as the table says`,
    );

  const read = decode(code, load);
  if (read.opcode !== LDX_W || read.dst !== dst || read.src !== dst || read.offset !== 0)
    throw code.error(load, `not "${reg} = *(u32 *)(${reg} + 0)" before a static branch`);
  if (read.imm !== 0) throw code.error(load, 'reserved bits are set');

  const low = decode(code, name);
  const high = decode(code, name + SLOT);
  if (low.opcode !== LD_IMM64 || low.dst !== dst || low.src !== 0 || low.offset !== 0)
    throw code.error(name, `not "${reg} = key ll" before a static branch`);
  if (high.opcode !== 0 || high.dst !== 0 || high.src !== 0 || high.offset !== 0 || high.imm !== 0)
    throw code.error(name + SLOT, `not the second half of "${reg} = key ll"`);
  const relocation = relocationAt(site.section, name);
  const named = relocation && resolve(sections, relocation, low.imm);
  if (relocation?.type !== R_BPF_64_64 || named === undefined)
    throw code.error(name, `"${reg} = key ll" has no relocation to a variable of this object`);
  if (named.section !== key.section || named.offset !== key.offset)
    throw code.error(name, 'the key that is tested is not the one in the table');
  return { encoding: 'default', inverse: jumpsWhileOff, start: name / SLOT };
}

import { SkeinError } from '#common/errors.ts';
import { JA, JA32 } from '../object/instructions.ts';
import { cloneBody, plain } from './instruction.ts';
import { type Layout, layOut } from './layout.ts';
import type { Instruction, LiftedFunction, LiftedObject } from './lifted.ts';
import { distanceTo } from './write-code.ts';

const tooFar = ({ name }: LiftedFunction, slot: number): SkeinError =>
  new SkeinError(
    'SKEIN_CANNOT_LOWER',
    `${name}, instruction ${slot}: the jump is longer than 16 bits, and this kernel has no gotol`,
  );

/** Slots that a jump with a 16-bit offset reaches, either way. */
const NEAR = 0x7fff;

/**
 * Rewrites jumps that became too long for 16 bits: a goto becomes a gotol, a conditional jump becomes one
 * over a goto and a gotol. Each round may push others out of reach; a jump is rewritten only once, so it ends.
 * @throws SkeinError SKEIN_CANNOT_LOWER when there is such a jump and the kernel knows no gotol
 */
export function fitJumps(lifted: LiftedObject, gotol: boolean): LiftedObject {
  for (let current = lifted; ; ) {
    const layout = layOut(current);
    let fits = true;
    const functions = current.functions.map((fn) => {
      const isLong = (instruction: Instruction) => isFar(layout, instruction);
      const found = fn.body.find(isLong);
      if (found === undefined) return fn;
      fits = false;
      if (!gotol) throw tooFar(fn, layout.slotOf(found) - (layout.starts.get(fn.id) ?? 0));
      return withLongJumps(fn, isLong);
    });
    if (fits) return current;
    current = { ...current, functions };
  }
}

function isFar(layout: Layout, instruction: Instruction): boolean {
  const { opcode, target } = instruction;
  if (target === undefined || opcode === JA32) return false;
  const distance = distanceTo(layout, layout.slotOf(instruction), target);
  return Math.abs(distance) > NEAR;
}

function withLongJumps(
  fn: LiftedFunction,
  isLong: (instruction: Instruction) => boolean,
): LiftedFunction {
  const far = fn.body.map(isLong);
  const copy = cloneBody(fn.body);
  const body: Instruction[] = [];
  copy.forEach((instruction, index) => {
    body.push(instruction);
    if (!far[index]) return;
    const { opcode, target } = instruction;
    if (opcode === JA) {
      instruction.opcode = JA32;
      instruction.offset = 0;
      return;
    }
    // if … goto far  →  if … goto 1; goto next; 1: gotol far. JSET and may_goto have no inverse.
    const long = goto(JA32, target, instruction);
    body.push(goto(JA, copy[index + 1], instruction), long);
    instruction.target = long;
  });
  return { ...fn, body };
}

const goto = (
  opcode: number,
  target: Instruction | undefined,
  { line, inheritedLine }: Instruction,
): Instruction => ({
  ...plain({ opcode, dst: 0, src: 0, offset: 0, imm: 0 }),
  target,
  inheritedLine: line ?? inheritedLine,
});

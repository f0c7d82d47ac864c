import { badObject } from '../object/byte-view.ts';
import { isProgram } from '../object/functions.ts';
import {
  decode,
  isConditionalJump,
  JA,
  JA_REG,
  JA32,
  LD_IMM64,
  SLOT,
} from '../object/instructions.ts';
import { viewOf } from '../object/sections.ts';
import type { BpfFunction, ObjectSpec, Section } from '../object/spec.ts';
import { STT_FUNC, STT_SECTION } from '../object/symbols.ts';
import { badInstruction } from './bad-instruction.ts';
import { notesOf, plain } from './instruction.ts';
import { hangReferences } from './lift-references.ts';
import type { Instruction, LiftedFunction } from './lifted.ts';
import type { LiftedCode } from './lifted-code.ts';

/** Turns every executable section into lists of instructions. */
export function liftCode(spec: ObjectSpec): LiftedCode {
  const slots = new Map<number, (Instruction | undefined)[]>();
  const starts = new Map<number, Map<number, LiftedFunction>>();
  const functions: LiftedFunction[] = [];
  const bySection = Map.groupBy(spec.functions, (fn) => fn.section);
  const symbols = functionSymbols(spec);
  for (const section of spec.sections.filter((each) => each.executable)) {
    const inSection: (Instruction | undefined)[] = [];
    const startsHere = new Map<number, LiftedFunction>();
    for (const fn of bySection.get(section.name) ?? []) {
      if (fn.instruction !== inSection.length) throw outsideFunctions(section, inSection.length);
      const symbol = symbols.get(`${section.index}:${fn.instruction}`) ?? 0;
      const lifted = liftFunction(section, fn, inSection, functions.length, symbol);
      startsHere.set(fn.instruction, lifted);
      functions.push(lifted);
    }
    if (inSection.length * SLOT !== section.bytes.length)
      throw outsideFunctions(section, inSection.length);
    slots.set(section.index, inSection);
    starts.set(section.index, startsHere);
  }
  const code = { functions, slots, starts };
  hangReferences(spec, code);
  hangLabels(spec, code);
  return code;
}

const outsideFunctions = (section: Section, slot: number) =>
  badObject(`section ${section.name}`, slot * SLOT, 'code that belongs to no function');

/** By section number and slot. Functions do not share a start: the spec refuses it. */
function functionSymbols(spec: ObjectSpec): ReadonlyMap<string, number> {
  return new Map(
    spec.symbols.flatMap(({ type, section, offset }, number) =>
      type === STT_FUNC && section !== undefined ? [[`${section}:${offset / SLOT}`, number]] : [],
    ),
  );
}

/** Appends the function's instructions to those of its section. */
function liftFunction(
  section: Section,
  fn: BpfFunction,
  inSection: (Instruction | undefined)[],
  id: number,
  symbol: number,
): LiftedFunction {
  const code = viewOf(section);
  const body: Instruction[] = [];
  const end = fn.instruction + fn.length;
  for (let slot = fn.instruction; slot < end; slot++) {
    const instruction = plain(decode(code, slot * SLOT));
    inSection.push(instruction);
    body.push(instruction);
    if (instruction.opcode !== LD_IMM64) continue;
    slot++;
    if (slot === end)
      throw badInstruction(fn.section, slot - 1, `half of an ld_imm64 ends ${fn.name}`);
    const half = decode(code, slot * SLOT);
    if (half.opcode !== 0 || half.dst !== 0 || half.src !== 0 || half.offset !== 0)
      throw badInstruction(fn.section, slot, 'not the second half of an ld_imm64');
    instruction.wide = half.imm;
    inSection.push(undefined);
  }
  for (let slot = fn.instruction; slot < end; slot++) {
    const instruction = inSection[slot];
    if (instruction !== undefined) hangTarget(fn, inSection, slot, instruction);
  }
  return {
    id,
    name: fn.name,
    section: section.index,
    symbol,
    program: isProgram(fn),
    pinned: false,
    info: undefined,
    body,
  };
}

function hangTarget(
  fn: BpfFunction,
  inSection: readonly (Instruction | undefined)[],
  slot: number,
  instruction: Instruction,
): void {
  const { opcode, offset, imm } = instruction;
  if (opcode === JA_REG) throw badInstruction(fn.section, slot, 'gotox, which Skein does not know');
  if (opcode !== JA && opcode !== JA32 && !isConditionalJump(opcode)) return;
  const to = slot + 1 + (opcode === JA32 ? imm : offset);
  const target =
    to < fn.instruction || to >= fn.instruction + fn.length ? undefined : inSection[to];
  if (target === undefined)
    throw badInstruction(
      fn.section,
      slot,
      `a jump to ${to}, which is no instruction of ${fn.name}`,
    );
  instruction.target = target;
}

/** Symbols of places in code: labels of assembly, and those that asm goto leaves. */
function hangLabels(spec: ObjectSpec, { slots }: LiftedCode): void {
  spec.symbols.forEach(({ type, section, offset }, number) => {
    if (section === undefined || type === STT_FUNC || type === STT_SECTION) return;
    const instruction = slots.get(section)?.[offset / SLOT];
    if (instruction !== undefined) notesOf(instruction).labels.push(number);
  });
}

import { plain } from './instruction.ts';
import type { Instruction } from './lifted.ts';

/** `MAX_BPF_STACK` of include/linux/filter.h, bytes. */
const STACK_SIZE = 512;
const WORD = 8;
const FRAME = 10;

const STX_DW = 0x7b;
const LDX_DW = 0x79;
const MOV_REG = 0xbf;
const ADD_IMM = 0x07;
const SUB_IMM = 0x17;
const CLASS = 0x07;
const CLASS_LDX = 0x01;
const CLASS_ST = 0x02;
const CLASS_STX = 0x03;

/** `*(u64 *)(r10 + slot) = rX` */
export const spill = (register: number, slot: number): Instruction =>
  plain({ opcode: STX_DW, dst: FRAME, src: register, offset: slot, imm: 0 });

/** `rX = *(u64 *)(r10 + slot)` */
export const reload = (register: number, slot: number): Instruction =>
  plain({ opcode: LDX_DW, dst: register, src: FRAME, offset: slot, imm: 0 });

/**
 * A stack slot below everything that a function uses, as an offset from r10; undefined when the stack has no
 * room. Takes the frame pointer's copies for as deep as all their subtractions together could bring them,
 * apart from the idiom `rX = r10; rX += -N`, which counts by itself.
 */
export function freeStackSlot(body: readonly Instruction[]): number | undefined {
  let direct = 0;
  let idiom = 0;
  let others = 0;
  let reach = 0;
  const copies = copiesOfFramePointer(body);
  body.forEach((instruction, position) => {
    const { dst } = instruction;
    const through = memoryBase(instruction);
    if (through === FRAME) direct = Math.max(direct, -instruction.offset);
    else if (through !== undefined && copies.has(through))
      reach = Math.max(reach, -instruction.offset);
    const down = loweredBy(instruction);
    if (down <= 0 || !copies.has(dst)) return;
    const before = body[position - 1];
    const isIdiom = before?.opcode === MOV_REG && before.src === FRAME && before.dst === dst;
    if (isIdiom) idiom = Math.max(idiom, down);
    else others += down;
  });
  const depth = Math.max(direct, idiom + others + reach);
  const slot = Math.ceil(depth / WORD) * WORD + WORD;
  return slot <= STACK_SIZE ? -slot : undefined;
}

/** Registers that anywhere hold a copy of r10, or of such a register. */
function copiesOfFramePointer(body: readonly Instruction[]): ReadonlySet<number> {
  const copies = new Set<number>();
  for (let size = -1; size !== copies.size; ) {
    size = copies.size;
    for (const { opcode, dst, src } of body)
      if (opcode === MOV_REG && (src === FRAME || copies.has(src))) copies.add(dst);
  }
  return copies;
}

function loweredBy({ opcode, imm }: Instruction): number {
  if (opcode === ADD_IMM) return -imm;
  return opcode === SUB_IMM ? imm : 0;
}

function memoryBase({ opcode, dst, src }: Instruction): number | undefined {
  switch (opcode & CLASS) {
    case CLASS_LDX:
      return src;
    case CLASS_ST:
    case CLASS_STX:
      return dst;
    default:
      return undefined;
  }
}

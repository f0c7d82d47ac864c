import type { RawInstruction } from '#agent/object/instructions.ts';
import type { Alu, AluOp, Operation } from '../isa/opcodes.ts';
import { emitDivision } from './emit-division.ts';
import { nativeRegister, RCX, SCRATCH } from './registers.ts';
import type { X64 } from './x64.ts';

/** Opcode for registers; the extension for numbers is in bits 3..5 of it. */
const ARITHMETIC: Readonly<Partial<Record<AluOp, number>>> = {
  add: 0x01,
  or: 0x09,
  and: 0x21,
  sub: 0x29,
  xor: 0x31,
};

/** Opcode extensions. */
const SHIFTS: Readonly<Partial<Record<AluOp, number>>> = { lsh: 4, rsh: 5, arsh: 7 };

/** A 32-bit operation of the machine clears the high half of its result, which is what BPF asks for. */
export function emitAlu(code: X64, operation: Alu, instruction: RawInstruction): void {
  const { is64, op, source } = operation;
  const dst = nativeRegister(instruction.dst);
  if (op === 'div' || op === 'mod') {
    emitDivision(code, operation, instruction);
    return;
  }
  const shift = SHIFTS[op];
  if (shift !== undefined) {
    emitShift(code, operation, shift, instruction);
    return;
  }
  const { imm } = instruction;
  if (op === 'mov') {
    if (source === 'reg') code.move(is64, dst, nativeRegister(instruction.src));
    else code.moveNumber(dst, is64 ? BigInt(imm) : BigInt(imm >>> 0));
  } else if (op === 'mul') {
    if (source === 'reg') code.registers(is64, 0x0faf, dst, nativeRegister(instruction.src));
    else {
      const short = imm === (imm << 24) >> 24;
      code.registers(is64, short ? 0x6b : 0x69, dst, dst);
      if (short) code.byte(imm & 0xff);
      else code.int32(imm);
    }
  } else {
    const opcode = ARITHMETIC[op] ?? 0;
    if (source === 'reg') code.registers(is64, opcode, nativeRegister(instruction.src), dst);
    else code.arithmetic(is64, opcode >> 3, dst, imm);
  }
}

/** The machine masks the count as BPF does, but takes it from cl only. */
function emitShift(
  code: X64,
  { is64, source }: Alu,
  extension: number,
  instruction: RawInstruction,
): void {
  const dst = nativeRegister(instruction.dst);
  if (source === 'imm') {
    code.registers(is64, 0xc1, extension, dst);
    code.byte(instruction.imm & (is64 ? 63 : 31));
    return;
  }
  const src = nativeRegister(instruction.src);
  if (src === RCX) {
    code.registers(is64, 0xd3, extension, dst);
    return;
  }
  code.move(true, SCRATCH, RCX);
  code.move(false, RCX, src);
  code.registers(is64, 0xd3, extension, dst === RCX ? SCRATCH : dst);
  code.move(true, RCX, SCRATCH);
}

export function emitUnary(
  code: X64,
  operation: Operation & { readonly kind: 'negate' | 'sign-extend' | 'byte-order' },
  instruction: RawInstruction,
): void {
  const dst = nativeRegister(instruction.dst);
  switch (operation.kind) {
    case 'negate':
      code.registers(operation.is64, 0xf7, 3, dst);
      return;
    case 'sign-extend': {
      const opcode = { 8: 0x0fbe, 16: 0x0fbf, 32: 0x63 }[operation.bits];
      const src = nativeRegister(instruction.src);
      code.registers(operation.is64, opcode, dst, src, operation.bits === 8);
      return;
    }
    case 'byte-order':
      emitByteOrder(code, operation.order !== 'le', operation.bits, dst);
      return;
  }
}

function emitByteOrder(code: X64, swap: boolean, bits: 16 | 32 | 64, dst: number): void {
  if (bits === 16) {
    if (swap) {
      code.byte(0x66);
      code.registers(false, 0xc1, 1, dst);
      code.byte(8);
    }
    code.registers(false, 0x0fb7, dst, dst);
  } else if (swap) {
    // bswap: 0f c8+r, which has the form of a ModRM byte with /1.
    code.registers(bits === 64, 0x0f, 1, dst);
  } else if (bits === 32) code.move(false, dst, dst);
}

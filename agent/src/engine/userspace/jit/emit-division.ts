import type { RawInstruction } from '#agent/object/instructions.ts';
import type { Alu } from '../isa/opcodes.ts';
import { nativeRegister, RAX, RDX, SCRATCH, SCRATCH2, SCRATCH3 } from './registers.ts';
import type { X64 } from './x64.ts';

const NOT_EQUAL = 5;
const CMP = 7;

/**
 * Division by 0 gives 0, the remainder of it the dividend (RFC 9669, section 4.1). The machine traps for that,
 * and for the smallest number by -1, which overflows; here that is a negation.
 */
export function emitDivision(code: X64, alu: Alu, instruction: RawInstruction): void {
  const { is64, op, source, signed } = alu;
  const dst = nativeRegister(instruction.dst);
  const { imm } = instruction;
  if (source === 'imm') {
    if (imm === 0) {
      emitByZero(code, alu, dst);
      return;
    }
    if (signed && imm === -1) {
      emitByMinusOne(code, alu, dst);
      return;
    }
    code.moveNumber(SCRATCH3, is64 ? BigInt(imm) : BigInt(imm >>> 0));
    emitDivide(code, alu, dst);
    return;
  }
  code.move(is64, SCRATCH3, nativeRegister(instruction.src));
  code.registers(is64, 0x85, SCRATCH3, SCRATCH3);
  const toDivide = code.skip(NOT_EQUAL);
  emitByZero(code, alu, dst);
  const done = [code.skip('always')];
  code.land(toDivide);
  if (signed) {
    code.arithmetic(is64, CMP, SCRATCH3, -1);
    const toIdiv = code.skip(NOT_EQUAL);
    emitByMinusOne(code, alu, dst);
    done.push(code.skip('always'));
    code.land(toIdiv);
  }
  emitDivide(code, { is64, op, signed }, dst);
  for (const skip of done) code.land(skip);
}

function emitByZero(code: X64, { is64, op }: Alu, dst: number): void {
  if (op === 'div') code.registers(false, 0x31, dst, dst);
  else if (!is64) code.move(false, dst, dst);
}

function emitByMinusOne(code: X64, { is64, op }: Alu, dst: number): void {
  if (op === 'div') code.registers(is64, 0xf7, 3, dst);
  else code.registers(false, 0x31, dst, dst);
}

/** By SCRATCH3, which needs rax and rdx: what is in them and is not dst comes back. */
function emitDivide(
  code: X64,
  { is64, op, signed }: Pick<Alu, 'is64' | 'op' | 'signed'>,
  dst: number,
): void {
  if (dst !== RAX) code.move(true, SCRATCH2, RAX);
  if (dst !== RDX) code.move(true, SCRATCH, RDX);
  if (dst !== RAX) code.move(true, RAX, dst);
  if (signed) {
    if (is64) code.byte(0x48);
    code.byte(0x99);
  } else code.registers(false, 0x31, RDX, RDX);
  code.registers(is64, 0xf7, signed ? 7 : 6, SCRATCH3);
  const result = op === 'div' ? RAX : RDX;
  if (dst !== result) code.move(true, dst, result);
  if (dst !== RAX) code.move(true, RAX, SCRATCH2);
  if (dst !== RDX) code.move(true, RDX, SCRATCH);
}

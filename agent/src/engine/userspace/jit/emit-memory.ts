import type { RawInstruction } from '#agent/object/instructions.ts';
import type { Atomic, Operation } from '../isa/opcodes.ts';
import { nativeRegister, RAX, SCRATCH, SCRATCH2 } from './registers.ts';
import type { X64 } from './x64.ts';

const LOADS = { 1: 0x0fb6, 2: 0x0fb7, 4: 0x8b, 8: 0x8b };
const SIGNED_LOADS = { 1: 0x0fbe, 2: 0x0fbf, 4: 0x63, 8: 0x8b };

export function emitLoad(
  code: X64,
  { bytes, signed }: Operation & { readonly kind: 'load' },
  { dst, src, offset }: RawInstruction,
): void {
  const opcode = signed ? SIGNED_LOADS[bytes] : LOADS[bytes];
  const wide = signed || bytes === 8;
  code.memory(wide, opcode, nativeRegister(dst), nativeRegister(src), offset);
}

export function emitStore(
  code: X64,
  { bytes, source }: Operation & { readonly kind: 'store' },
  { dst, src, offset, imm }: RawInstruction,
): void {
  const base = nativeRegister(dst);
  if (bytes === 2) code.byte(0x66);
  if (source === 'reg') {
    const opcode = bytes === 1 ? 0x88 : 0x89;
    code.memory(bytes === 8, opcode, nativeRegister(src), base, offset, bytes === 1);
    return;
  }
  code.memory(bytes === 8, bytes === 1 ? 0xc6 : 0xc7, 0, base, offset);
  if (bytes === 1) code.byte(imm & 0xff);
  else if (bytes === 2) code.byte(imm & 0xff, (imm >> 8) & 0xff);
  else code.int32(imm);
}

const LOCK = 0xf0;
/** Of a register to memory. */
const ARITHMETIC = { add: 0x01, or: 0x09, and: 0x21, xor: 0x31 };
const XADD = 0x0fc1;
const XCHG = 0x87;
const CMPXCHG = 0x0fb1;
const NOT_EQUAL = 5;

export function emitAtomic(code: X64, atomic: Atomic, instruction: RawInstruction): void {
  const { bytes, op, fetch } = atomic;
  const wide = bytes === 8;
  const { offset } = instruction;
  const base = nativeRegister(instruction.dst);
  const src = nativeRegister(instruction.src);
  if (op === 'xchg') {
    // Locks by itself.
    code.memory(wide, XCHG, src, base, offset);
  } else if (op === 'cmpxchg') {
    code.byte(LOCK);
    code.memory(wide, CMPXCHG, src, base, offset);
    // Where the comparison holds, the machine leaves all of rax as it was.
    if (!wide) code.move(false, RAX, RAX);
  } else if (!fetch) {
    code.byte(LOCK);
    code.memory(wide, ARITHMETIC[op], src, base, offset);
  } else if (op === 'add') {
    code.byte(LOCK);
    code.memory(wide, XADD, src, base, offset);
  } else emitFetchLoop(code, wide, ARITHMETIC[op], base, src, offset);
}

/** Until nobody came in between. Only through rax can the machine compare and exchange. */
function emitFetchLoop(
  code: X64,
  wide: boolean,
  opcode: number,
  base: number,
  src: number,
  offset: number,
): void {
  const [from, operand] = [base, src].map((each) => (each === RAX ? SCRATCH : each));
  if (from === undefined || operand === undefined) return;
  code.move(true, SCRATCH, RAX);
  code.memory(wide, 0x8b, RAX, from, offset);
  const again = code.length;
  code.move(wide, SCRATCH2, RAX);
  code.registers(wide, opcode, operand, SCRATCH2);
  code.byte(LOCK);
  code.memory(wide, CMPXCHG, SCRATCH2, from, offset);
  code.back(NOT_EQUAL, again);
  if (src === RAX) return;
  code.move(wide, src, RAX);
  code.move(true, RAX, SCRATCH);
}

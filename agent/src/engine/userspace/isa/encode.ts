import { LD_IMM64, type RawInstruction } from '#agent/object/instructions.ts';
import {
  ALU_OPS,
  ATOMIC_FETCH,
  ATOMIC_OPS,
  type Bytes,
  CALLEES,
  CLASS,
  COMPARISONS,
  CONSTANTS,
  MODE,
  OPERATION,
  type Operation,
  SELECTABLE,
  SIZES,
  SOURCE_REG,
  type Source,
} from './opcodes.ts';

/** What an operation leaves open; absent fields are 0. Those that select the operation are overwritten. */
export type Fields = Partial<Omit<RawInstruction, 'opcode'>>;

/** The instruction of an operation: the inverse of operationOf(). Of a constant, its first slot. */
export function encode(operation: Operation, fields: Fields = {}): RawInstruction {
  const { dst = 0, src = 0, offset = 0, imm = 0 } = fields;
  const raw = { dst, src, offset, imm };
  switch (operation.kind) {
    case 'alu': {
      const { is64, op, source, signed } = operation;
      const opcode = aluOpcode(is64, ALU_OPS.indexOf(op)) | sourceBit(source);
      return { opcode, ...raw, offset: signed ? 1 : 0 };
    }
    case 'negate':
      return { opcode: aluOpcode(operation.is64, OPERATION.NEGATE), ...raw };
    case 'sign-extend': {
      const opcode = aluOpcode(operation.is64, ALU_OPS.indexOf('mov')) | SOURCE_REG;
      return { opcode, ...raw, offset: operation.bits };
    }
    case 'byte-order': {
      const { order, bits } = operation;
      const opcode = aluOpcode(order === 'bswap', OPERATION.BYTE_ORDER);
      return { opcode: order === 'be' ? opcode | SOURCE_REG : opcode, ...raw, imm: bits };
    }
    case 'load': {
      const mode = operation.signed ? MODE.MEMSX : MODE.MEM;
      return { opcode: CLASS.LDX | mode | sizeBits(operation.bytes), ...raw };
    }
    case 'store': {
      const base = operation.source === 'reg' ? CLASS.STX : CLASS.ST;
      return { opcode: base | MODE.MEM | sizeBits(operation.bytes), ...raw };
    }
    case 'atomic': {
      const { bytes, op, fetch } = operation;
      const opcode = CLASS.STX | MODE.ATOMIC | sizeBits(bytes);
      return { opcode, ...raw, imm: ATOMIC_OPS[op] | (fetch ? ATOMIC_FETCH : 0) };
    }
    case 'constant':
      return { opcode: LD_IMM64, ...raw, src: CONSTANTS.indexOf(operation.of) };
    case 'goto': {
      const { long, distance, selectable } = operation;
      const opcode = jumpOpcode(!long, OPERATION.JA);
      const marked = { opcode, dst, src: selectable === undefined ? 0 : SELECTABLE[selectable] };
      return { ...marked, offset: long ? 0 : distance, imm: long ? distance : 0 };
    }
    case 'branch': {
      const { is64, op, source } = operation;
      return { opcode: jumpOpcode(is64, COMPARISONS.indexOf(op)) | sourceBit(source), ...raw };
    }
    case 'call':
      return {
        opcode: jumpOpcode(true, OPERATION.CALL),
        ...raw,
        src: CALLEES.indexOf(operation.callee),
      };
    case 'exit':
      return { opcode: jumpOpcode(true, OPERATION.EXIT), ...raw };
  }
}

/** The second slot of an ld_imm64. */
export function constantTail(imm: number): RawInstruction {
  return { opcode: 0, dst: 0, src: 0, offset: 0, imm };
}

function aluOpcode(is64: boolean, operation: number): number {
  return (is64 ? CLASS.ALU64 : CLASS.ALU) | (operation << 4);
}

function jumpOpcode(is64: boolean, operation: number): number {
  return (is64 ? CLASS.JMP : CLASS.JMP32) | (operation << 4);
}

function sourceBit(source: Source): number {
  return source === 'reg' ? SOURCE_REG : 0;
}

function sizeBits(bytes: Bytes): number {
  return SIZES.indexOf(bytes) << 3;
}

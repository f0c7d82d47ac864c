import type { RawInstruction } from '#agent/object/instructions.ts';
import {
  type Alu,
  type Atomic,
  type Branch,
  type ConstantOf,
  type Goto,
  type Operation,
  operationOf,
  slotsOf,
} from './opcodes.ts';
import { ALU_SIGNS, COMPARISON_SIGNS, LOCK_SIGNS, signedText, UNSIGNED_TYPES } from './syntax.ts';

/**
 * The instruction at a slot in the verifier's syntax (kernel/bpf/disasm.c), without number and opcode. What
 * assemble.ts reads again. Reserved fields do not show; what is no instruction says so.
 */
export function disassemble(
  slots: readonly RawInstruction[],
  at: number,
  helperName?: (id: number) => string | undefined,
): string {
  const instruction = slots[at];
  if (instruction === undefined) return 'no instruction';
  const operation = operationOf(instruction);
  if (operation === undefined) return unknown(instruction);
  return textOf(operation, instruction, slots[at + 1]?.imm ?? 0, helperName);
}

/** One line per instruction: `7: (b7) r0 = 0`. */
export function disassembleAll(
  slots: readonly RawInstruction[],
  helperName?: (id: number) => string | undefined,
): string[] {
  const lines: string[] = [];
  for (let at = 0; at < slots.length; ) {
    const instruction = slots[at];
    if (instruction === undefined) break;
    lines.push(`${at}: (${hexByte(instruction.opcode)}) ${disassemble(slots, at, helperName)}`);
    at += slotsOf(instruction);
  }
  return lines;
}

function textOf(
  operation: Operation,
  instruction: RawInstruction,
  high: number,
  helperName: ((id: number) => string | undefined) | undefined,
): string {
  const { dst, src, imm } = instruction;
  switch (operation.kind) {
    case 'alu':
      return aluText(operation, instruction);
    case 'negate': {
      const register = `${letter(operation.is64)}${dst}`;
      return `${register} = -${register}`;
    }
    case 'sign-extend':
      return `${letter(operation.is64)}${dst} = (s${operation.bits})${letter(operation.is64)}${src}`;
    case 'byte-order':
      return `r${dst} = ${operation.order}${operation.bits} r${dst}`;
    case 'load': {
      const type = `${operation.signed ? 's' : 'u'}${operation.bytes * 8}`;
      return `r${dst} = *(${type} *)${address(src, instruction)}`;
    }
    case 'store': {
      const value = operation.source === 'reg' ? `r${src}` : `${imm}`;
      return `*(${UNSIGNED_TYPES[operation.bytes]} *)${address(dst, instruction)} = ${value}`;
    }
    case 'atomic':
      return atomicText(operation, instruction);
    case 'constant':
      return `r${dst} = ${constantText(operation.of, imm, high)} ll`;
    case 'goto':
      return `${gotoWord(operation)} pc${signedText(operation.distance)}`;
    case 'branch':
      return branchText(operation, instruction);
    case 'call':
      return callText(operation.callee, imm, helperName);
    case 'exit':
      return 'exit';
  }
}

function aluText({ is64, op, source, signed }: Alu, { dst, src, imm }: RawInstruction): string {
  const operand = source === 'reg' ? `${letter(is64)}${src}` : `${imm}`;
  return `${letter(is64)}${dst} ${signed ? 's' : ''}${ALU_SIGNS[op]} ${operand}`;
}

function atomicText({ bytes, op, fetch }: Atomic, instruction: RawInstruction): string {
  const { dst, src } = instruction;
  const place = `(${UNSIGNED_TYPES[bytes]} *)${address(dst, instruction)}`;
  const width = bytes === 8 ? '64' : '';
  if (!fetch) return `lock *${place} ${LOCK_SIGNS[op]} r${src}`;
  if (op === 'cmpxchg') return `r0 = atomic${width}_cmpxchg(${place}, r0, r${src})`;
  const name = op === 'xchg' ? 'xchg' : `fetch_${op}`;
  return `r${src} = atomic${width}_${name}(${place}, r${src})`;
}

function constantText(of: ConstantOf, low: number, high: number): string {
  switch (of) {
    case 'number':
      return `0x${((BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)).toString(16)}`;
    case 'map-fd':
      return `map[fd:${low}]`;
    case 'map-value-fd':
      return `map[fd:${low}][0]${signedText(high)}`;
    case 'variable':
      return `variable[id:${low}]${signedText(high)}`;
    case 'subprogram':
      return `subprog[${signedText(low)}]`;
    case 'map-index':
      return `map[idx:${low}]`;
    case 'map-value-index':
      return `map[idx:${low}][0]${signedText(high)}`;
  }
}

function gotoWord({ long, selectable }: Goto): string {
  const word = long ? 'gotol' : 'goto';
  if (selectable === undefined) return word;
  return selectable === 'goto-or-nop' ? `${word}_or_nop` : `nop_or_${word}`;
}

function branchText({ is64, op, source }: Branch, instruction: RawInstruction): string {
  const { dst, src, imm, offset } = instruction;
  const operand = source === 'reg' ? `${letter(is64)}${src}` : `0x${(imm >>> 0).toString(16)}`;
  const test = `${letter(is64)}${dst} ${COMPARISON_SIGNS[op]} ${operand}`;
  return `if ${test} goto pc${signedText(offset)}`;
}

function callText(
  callee: 'helper' | 'subprogram' | 'kernel-function',
  imm: number,
  helperName: ((id: number) => string | undefined) | undefined,
): string {
  if (callee === 'subprogram') return `call pc${signedText(imm)}`;
  if (callee === 'kernel-function') return `call kernel-function#${imm}`;
  const name = helperName?.(imm);
  return name === undefined ? `call ${imm}` : `call ${name}#${imm}`;
}

function address(register: number, { offset }: RawInstruction): string {
  return `(r${register} ${signedText(offset)})`;
}

function unknown({ opcode, dst, src, offset, imm }: RawInstruction): string {
  return `no instruction: (${hexByte(opcode)}) dst ${dst} src ${src} off ${offset} imm ${imm}`;
}

function letter(is64: boolean): string {
  return is64 ? 'r' : 'w';
}

function hexByte(value: number): string {
  return value.toString(16).padStart(2, '0');
}

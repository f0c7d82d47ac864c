import type { RawInstruction } from '#agent/object/instructions.ts';
import type { Atomic, Bytes, Operation } from '../isa/opcodes.ts';
import { linked } from './alu.ts';
import { NONE } from './dependencies.ts';
import { load, store } from './memory.ts';
import { mapOf } from './program.ts';
import {
  ANY_SCALAR,
  isPacket,
  pointer,
  type Register,
  scalarRegister,
  typeName,
} from './register.ts';
import { constant } from './scalar.ts';
import type { Walk } from './walk.ts';

type OfKind<K extends Operation['kind']> = Extract<Operation, { readonly kind: K }>;

/** check_load_mem() of kernel/bpf/verifier.c */
export function runLoad(
  walk: Walk,
  { bytes, signed }: OfKind<'load'>,
  { dst, src, offset }: RawInstruction,
): void {
  const { value, sources } = load(walk, { base: src, offset, bytes, signed });
  walk.write(dst, value, sources);
}

/** check_store_reg() */
export function runStore(
  walk: Walk,
  { bytes, source }: OfKind<'store'>,
  { dst, src, offset }: RawInstruction,
): void {
  const access = { base: dst, offset, bytes };
  if (source === 'imm') {
    store(walk, access, walk.immediate(), NONE);
    return;
  }
  const value = walk.read(src);
  const sources = walk.sources(src);
  store(walk, access, isSpill(walk.read(dst), value, bytes) ? linked(walk, src) : value, sources);
}

/** The whole number goes to a slot of the stack, so that what is found out of it holds for both. */
function isSpill(to: Register, value: Register, bytes: Bytes): boolean {
  const fits = value.number.umax < 1n << BigInt(bytes * 8);
  return to.kind === 'stack' && to.number.bits.mask === 0n && value.kind === 'scalar' && fits;
}

/** check_atomic_rmw() */
export function runAtomic(walk: Walk, operation: Atomic, instruction: RawInstruction): void {
  const { bytes, op, fetch } = operation;
  const { dst, src, offset } = instruction;
  walk.read(src);
  const to = walk.read(dst);
  if (op === 'cmpxchg') walk.read(0);
  if (to.kind === 'context' || isPacket(to))
    walk.refuse(`BPF_ATOMIC stores into R${dst} ${typeName(to)} is not allowed`);
  const access = { base: dst, offset, bytes, aligned: true };
  const { value, sources } = load(walk, access);
  store(walk, access, ANY_SCALAR, NONE);
  if (fetch) walk.write(op === 'cmpxchg' ? 0 : src, value, sources);
}

/** check_ld_imm() */
export function runConstant(
  walk: Walk,
  { of }: OfKind<'constant'>,
  { dst, imm }: RawInstruction,
): void {
  const high = walk.program.slots[walk.at + 1]?.imm ?? 0;
  switch (of) {
    case 'number':
      walk.write(dst, scalarRegister(constant((BigInt(high >>> 0) << 32n) | BigInt(imm >>> 0))));
      return;
    case 'map-fd':
    case 'map-index':
      mapOf(walk.program, walk.at, imm);
      walk.write(dst, pointer('map', { map: imm }));
      return;
    case 'map-value-fd':
    case 'map-value-index': {
      const map = mapOf(walk.program, walk.at, imm);
      if (map.type !== 'array' || map.maxEntries !== 1)
        walk.refuse(`map ${map.name} has no value whose address is known`);
      if (high >>> 0 >= map.valueSize)
        walk.refuse(
          `invalid access to map value pointer, value_size=${map.valueSize} off=${high >>> 0}`,
        );
      walk.write(dst, pointer('map-value', { map: imm, offset: high >>> 0 }));
      return;
    }
    case 'subprogram':
      walk.write(dst, pointer('function', { fn: walk.program.functionAt[walk.at + 1 + imm] ?? 0 }));
      return;
    case 'variable':
      walk.refuse('the address of a variable of the kernel is not supported');
  }
}

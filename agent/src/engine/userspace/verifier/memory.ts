import type { Bytes } from '../isa/opcodes.ts';
import { accessContext } from './context-fields.ts';
import { type Dependencies, NONE } from './dependencies.ts';
import { mapOf } from './program.ts';
import {
  ANY_SCALAR,
  isPacket,
  isPointer,
  pointer,
  type Register,
  scalarRegister,
  typeName,
} from './register.ts';
import { constant, unsignedOfBytes } from './scalar.ts';
import { signExtend, zeroExtend } from './scalar-extend.ts';
import {
  type Loaded,
  readBytes,
  readStack,
  stackBounds,
  writeStack,
  writeStackSomewhere,
} from './stack-access.ts';
import { isAligned } from './tnum.ts';
import type { Walk } from './walk.ts';

/** A load or a store: check_mem_access() of kernel/bpf/verifier.c. */
export interface Access {
  /** The register with the address. */
  readonly base: number;
  readonly offset: number;
  readonly bytes: Bytes;
  readonly signed?: boolean;
  /** Aligned whatever the machine can do. */
  readonly aligned?: boolean;
}

export function load(walk: Walk, access: Access): Loaded {
  const from = walk.read(access.base);
  noteAccess(walk, from);
  requireAlignment(walk, from, access);
  const loaded = loadFrom(walk, from, access);
  const { value, sources } = loaded;
  if (value.kind !== 'scalar' || access.bytes === 8) return loaded;
  return { value: cutToSize(value, access.bytes, access.signed ?? false), sources };
}

function cutToSize(value: Register, bytes: 1 | 2 | 4, signed: boolean): Register {
  if (!signed) {
    const number = zeroExtend(value.number, bytes);
    return number === value.number ? value : scalarRegister(number);
  }
  return scalarRegister(signExtend(value.number, SIGN_BITS[bytes]));
}

const SIGN_BITS = { 1: 8, 2: 16, 4: 32 } as const;

function loadFrom(walk: Walk, from: Register, access: Access): Loaded {
  const { base, offset, bytes } = access;
  const name = `R${base}`;
  switch (from.kind) {
    case 'stack': {
      const [least, most] = stackBounds(walk, name, from, offset, bytes, 'read from');
      const frame = walk.frameAt(from.frame);
      if (least === most) return readStack(walk, frame, least, bytes);
      return readBytes(walk, frame, least, most - least + bytes);
    }
    case 'context':
      return { value: loadContext(walk, from, access), sources: NONE };
    case 'map-value':
      checkRegion(walk, base, from, offset, bytes, false);
      return { value: frozenValue(walk, from, offset, bytes) ?? ANY_SCALAR, sources: NONE };
    case 'packet':
    case 'packet-metadata':
    case 'memory':
      checkRegion(walk, base, from, offset, bytes, false);
      return { value: ANY_SCALAR, sources: NONE };
    default:
      return refuseAccess(walk, base, from);
  }
}

export function store(walk: Walk, access: Access, value: Register, sources: Dependencies): void {
  const { base, offset, bytes } = access;
  const to = walk.read(base);
  noteAccess(walk, to);
  requireAlignment(walk, to, access);
  switch (to.kind) {
    case 'stack': {
      const [least, most] = stackBounds(walk, `R${base}`, to, offset, bytes, 'write to');
      const frame = walk.frameAt(to.frame);
      if (least === most) writeStack(walk, frame, least, bytes, value, sources);
      else writeStackSomewhere(walk, frame, least, most + bytes, value, sources);
      return;
    }
    case 'context':
      storeContext(walk, to, access);
      return;
    case 'map-value':
    case 'packet':
    case 'packet-metadata':
    case 'memory':
      checkRegion(walk, base, to, offset, bytes, true);
      return;
    default:
      refuseAccess(walk, base, to);
  }
}

/** Accesses to a context are translated, and there is one translation: reg_type_mismatch(). */
function noteAccess(walk: Walk, { kind }: Register): void {
  const { accesses } = walk.program;
  const what = kind === 'context' ? kind : 'other';
  if ((accesses.get(walk.at) ?? what) !== what)
    walk.refuse('same insn cannot be used with different pointers');
  accesses.set(walk.at, what);
}

function refuseAccess(walk: Walk, base: number, register: Register): never {
  walk.refuse(`R${base} invalid mem access '${typeName(register)}'`);
}

/** check_ptr_alignment(): the machine can do the rest, but slots of the stack are followed one by one. */
function requireAlignment(walk: Walk, register: Register, access: Access): void {
  const { offset, bytes, aligned = false } = access;
  if (!aligned && register.kind !== 'stack') return;
  // Packets begin 2 bytes (NET_IP_ALIGN) behind a multiple of 4 where alignment matters; it is 0 on x86.
  const fixed = register.offset + offset;
  if (!isPointer(register) || (fixed % bytes === 0 && isAligned(register.number.bits, bytes)))
    return;
  walk.refuse(`misaligned ${typeName(register)} access off ${fixed} size ${bytes}`);
}

/**
 * Bytes of a packet, a map's value or other memory: check_packet_access(), check_map_access() and
 * check_mem_region_access().
 */
export function checkRegion(
  walk: Walk,
  base: number,
  register: Register,
  offset: number,
  bytes: number,
  write: boolean,
  zeroAllowed = false,
): void {
  if (register.orNull) refuseAccess(walk, base, register);
  const fixed = register.offset + offset;
  const { number } = register;
  const name = `R${base}`;
  if (write) requireWritable(walk, register, name);
  if (isPacket(register)) {
    if (number.smin < 0n) refuseNegative(walk, name);
    const [fits, ends] = [isInside(fixed, bytes, register.range, zeroAllowed), register.range];
    if (!fits)
      walk.refuse(
        `invalid access to packet, off=${fixed} size=${bytes}, ${name}(id=${register.id},off=${fixed},r=${ends})`,
      );
    return;
  }
  const size = regionBytes(walk, register);
  if (number.smin < 0n && (number.smin < -MAX_VARIABLE || fixed + Number(number.smin) < 0))
    refuseNegative(walk, name);
  if (!isInside(fixed + Number(number.smin), bytes, size, zeroAllowed))
    walk.refuse(outside(register, size, fixed + Number(number.smin), bytes, name, 'min'));
  if (number.umax >= MAX_VARIABLE)
    walk.refuse(`${name} unbounded memory access, make sure to bounds check any such access`);
  if (!isInside(fixed + Number(number.umax), bytes, size, zeroAllowed))
    walk.refuse(outside(register, size, fixed + Number(number.umax), bytes, name, 'max'));
}

/** BPF_MAX_VAR_OFF */
const MAX_VARIABLE = 1n << 29n;

const isInside = (offset: number, bytes: number, size: number, zeroAllowed: boolean): boolean =>
  offset >= 0 && offset + bytes <= size && (bytes > 0 || (zeroAllowed && size >= 0));

function refuseNegative(walk: Walk, name: string): never {
  walk.refuse(
    `${name} min value is negative, either use unsigned index or do a if (index >=0) check.`,
  );
}

function outside(
  register: Register,
  size: number,
  offset: number,
  bytes: number,
  name: string,
  end: 'min' | 'max',
): string {
  const what = register.kind === 'map-value' ? 'map value' : 'memory';
  const sizes = what === 'map value' ? `value_size=${size}` : `mem_size=${size}`;
  return `invalid access to ${what}, ${sizes} off=${offset} size=${bytes}: ${name} ${end} value is outside of the allowed memory range`;
}

function regionBytes(walk: Walk, register: Register): number {
  if (register.kind === 'memory') return register.size;
  return mapOf(walk.program, walk.at, register.map).valueSize;
}

function requireWritable(walk: Walk, register: Register, name: string): void {
  const { type } = walk.program.input.kind;
  if (isPacket(register) && type !== 'xdp' && type !== 'tc')
    walk.refuse('cannot write into packet');
  if (register.kind === 'map-value' && frozenOf(walk, register) !== undefined)
    walk.refuse(`write into map forbidden, ${name} points into a read-only map`);
  if (register.readOnly) walk.refuse(`${name} cannot write into rdonly_mem`);
}

const frozenOf = (walk: Walk, register: Register): Uint8Array | undefined =>
  mapOf(walk.program, walk.at, register.map).frozen;

/** What nobody can change any more is known: bpf_map_direct_read(). */
function frozenValue(
  walk: Walk,
  register: Register,
  offset: number,
  bytes: Bytes,
): Register | undefined {
  const frozen = frozenOf(walk, register);
  if (frozen === undefined || register.number.bits.mask !== 0n) return undefined;
  const at = register.offset + offset + Number(register.number.smin);
  let value = 0n;
  for (let byte = bytes - 1; byte >= 0; byte--)
    value = (value << 8n) | BigInt(frozen[at + byte] ?? 0);
  return scalarRegister(constant(value));
}

function loadContext(walk: Walk, register: Register, access: Access): Register {
  const { offset, bytes: size, signed = false } = access;
  const context = contextOf(walk, register, access.base);
  const gives = accessContext(context, { offset, size, write: false, signed });
  if (gives === undefined) walk.refuse(`invalid bpf_context access off=${offset} size=${size}`);
  if (gives === 'scalar') return scalarRegister(unsignedOfBytes(size));
  return pointer(gives);
}

function storeContext(walk: Walk, register: Register, { base, offset, bytes }: Access): void {
  const context = contextOf(walk, register, base);
  const access = { offset, size: bytes, write: true, signed: false };
  if (accessContext(context, access) === undefined)
    walk.refuse(`invalid bpf_context access off=${offset} size=${bytes}`);
}

/** check_ptr_off_reg() */
export function requireNoOffset(walk: Walk, register: Register, base: number): void {
  const { offset, number } = register;
  const type = typeName(register);
  if (number.bits.mask !== 0n)
    walk.refuse(`variable ${type} access R${base}: its offset is not known`);
  if (offset !== 0 || number.umax !== 0n)
    walk.refuse(`dereference of modified ${type} ptr R${base} off=${offset} disallowed`);
}

export function contextOf(walk: Walk, register: Register, base: number) {
  const { kind } = walk.program.input;
  requireNoOffset(walk, register, base);
  if (kind.type === 'memory') walk.refuse(`R${base} is no context`);
  return kind.type;
}

import { ANY, constant, type Scalar } from './scalar.ts';

/** What a register or a stack slot holds: struct bpf_reg_state. Never changed; states share it. */
export interface Register {
  readonly kind: RegisterKind;
  /** The number; of a pointer: the variable part of its offset. */
  readonly number: Scalar;
  /** Of a pointer: the fixed part of its offset. Of a number with an id: how much it is above the others. */
  readonly offset: number;
  /** Those that have the same id (not 0) had the same value once, or the same variable offset. */
  readonly id: number;
  /** Of a packet pointer: bytes after the variable part of its offset that are in the packet; see PACKET_END. */
  readonly range: number;
  /** May also be 0: nothing can be done with it before a test. */
  readonly orNull: boolean;
  /** Of a map or a map's value: the map's index. */
  readonly map: number;
  /** Of the address of a function: the function's index. */
  readonly fn: number;
  /** Of memory: its bytes. */
  readonly size: number;
  readonly readOnly: boolean;
  /** Of a stack pointer: whose stack. */
  readonly frame: number;
  /** What a helper gave and wants back; 0: nothing. */
  readonly reference: number;
}

export type RegisterKind =
  | 'uninitialised'
  | 'scalar'
  | 'context'
  | 'stack'
  | 'map'
  | 'map-value'
  | 'packet'
  | 'packet-metadata'
  | 'packet-end'
  | 'memory'
  | 'function';

/** In the place of a range, after a comparison: exactly at the end of the packet, or behind it. */
export const AT_PACKET_END = -1;
export const BEHIND_PACKET_END = -2;

/** Written out, since copying by name is much slower; always of the same shape. */
const make = (kind: RegisterKind, number: Scalar, of: Partial<Register>): Register => ({
  kind,
  number,
  offset: of.offset ?? 0,
  id: of.id ?? 0,
  range: of.range ?? 0,
  orNull: of.orNull ?? false,
  map: of.map ?? -1,
  fn: of.fn ?? -1,
  size: of.size ?? 0,
  readOnly: of.readOnly ?? false,
  frame: of.frame ?? 0,
  reference: of.reference ?? 0,
});

const ZERO = constant(0n);

export const UNINITIALISED: Register = make('uninitialised', ANY, {});
export const ANY_SCALAR: Register = make('scalar', ANY, {});

export function scalarRegister(number: Scalar, id = 0, offset = 0): Register {
  if (number === ANY && id === 0) return ANY_SCALAR;
  return {
    kind: 'scalar',
    number,
    offset,
    id,
    range: 0,
    orNull: false,
    map: -1,
    fn: -1,
    size: 0,
    readOnly: false,
    frame: 0,
    reference: 0,
  };
}

export function pointer(
  kind: Exclude<RegisterKind, 'uninitialised' | 'scalar'>,
  fields: Partial<Omit<Register, 'kind'>> = {},
): Register {
  return make(kind, fields.number ?? ZERO, fields);
}

export const changed = (from: Register, to: Partial<Omit<Register, 'kind'>>): Register => ({
  kind: from.kind,
  number: to.number ?? from.number,
  offset: to.offset ?? from.offset,
  id: to.id ?? from.id,
  range: to.range ?? from.range,
  orNull: to.orNull ?? from.orNull,
  map: to.map ?? from.map,
  fn: to.fn ?? from.fn,
  size: to.size ?? from.size,
  readOnly: to.readOnly ?? from.readOnly,
  frame: to.frame ?? from.frame,
  reference: to.reference ?? from.reference,
});

export const isPointer = ({ kind }: Register): boolean =>
  kind !== 'scalar' && kind !== 'uninitialised';

export const isPacket = ({ kind }: Register): boolean =>
  kind === 'packet' || kind === 'packet-metadata';

const NAMES: Readonly<Record<RegisterKind, string>> = {
  uninitialised: '?',
  scalar: 'scalar',
  context: 'ctx',
  stack: 'fp',
  map: 'map_ptr',
  'map-value': 'map_value',
  packet: 'pkt',
  'packet-metadata': 'pkt_meta',
  'packet-end': 'pkt_end',
  memory: 'mem',
  function: 'func',
};

/** As the kernel calls it: reg_type_str() of kernel/bpf/log.c. */
export const typeName = ({ kind, orNull }: Register): string =>
  `${NAMES[kind]}${orNull ? '_or_null' : ''}`;

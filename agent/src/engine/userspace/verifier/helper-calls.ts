import { type Argument, HELPERS, type Helper, TAIL_CALL } from './helpers.ts';
import type { MapInput } from './input.ts';
import { checkRegion, contextOf, requireNoOffset } from './memory.ts';
import { mapOf } from './program.ts';
import {
  ANY_SCALAR,
  isPacket,
  pointer,
  type Register,
  type RegisterKind,
  scalarRegister,
  typeName,
  UNINITIALISED,
} from './register.ts';
import { ANY, constantOf, isZero, knownValue, type Scalar } from './scalar.ts';
import { assume } from './scalar-compare.ts';
import { clobberStackRange, constantOnStack, stackBounds } from './stack-access.ts';
import { replaceRegisters } from './state.ts';
import type { Walk } from './walk.ts';

/** A call of a helper function: check_helper_call() of kernel/bpf/verifier.c. */
export function callHelper(walk: Walk, id: number): void {
  const helper = HELPERS.get(id);
  if (helper === undefined) walk.refuse(`invalid func unknown#${id}`);
  requireAllowed(walk, helper, id);
  const call = new HelperCall(walk, helper, id);
  for (const [index, argument] of helper.arguments.entries()) call.check(argument, index + 1);
  if (helper.releases) call.release();
  const [reference] = walk.state.references;
  if (id === TAIL_CALL && reference !== undefined)
    walk.refuse(`Unreleased reference id=${reference}: tail_call would lead to reference leak`);
  loseArguments(walk);
  if (helper.movesPacket) losePacket(walk);
  walk.write(0, call.result());
}

function requireAllowed(walk: Walk, helper: Helper, id: number): void {
  const { kind, gplCompatible = false } = walk.program.input;
  const allowed = helper.contexts;
  if (allowed !== undefined && (kind.type === 'memory' || !allowed.includes(kind.type)))
    walk.refuse(`program of this type cannot use helper ${helper.name}#${id}`);
  if (helper.gplOnly && !gplCompatible)
    walk.refuse('cannot call GPL-restricted function from non-GPL compatible program');
}

/** r0 to r5 are not kept across calls. */
export function loseArguments(walk: Walk): void {
  for (let register = 0; register <= 5; register++) walk.write(register, UNINITIALISED);
}

/** Pointers into the packet are plain numbers now: clear_all_pkt_pointers(). */
export function losePacket(walk: Walk): void {
  replaceRegisters(walk.state, (register) =>
    isPacket(register) || register.kind === 'packet-end' ? ANY_SCALAR : register,
  );
}

/** A number that is 0 on every way that comes here. */
export function isNull(walk: Walk, { kind, number }: Register, register: number): boolean {
  if (kind !== 'scalar' || !isZero(number)) return false;
  walk.requirePrecise(walk.sources(register));
  return true;
}

/** What a function can read keys and the like from. */
export const MEMORY: readonly RegisterKind[] = [
  'stack',
  'packet',
  'packet-metadata',
  'map-value',
  'memory',
];

class HelperCall {
  readonly #walk: Walk;
  readonly #helper: Helper;
  readonly #id: number;
  #map: MapInput | undefined;
  #mapIndex = -1;
  #released: Register | undefined;
  #allocation = 0;
  /** The element cannot be missing. */
  #isThere = false;

  constructor(walk: Walk, helper: Helper, id: number) {
    this.#walk = walk;
    this.#helper = helper;
    this.#id = id;
  }

  check(argument: Argument, register: number): void {
    const value = this.#walk.read(register);
    switch (argument) {
      case 'anything':
        return;
      case 'context':
        if (value.kind !== 'context') this.#expect(register, value, 'ctx');
        contextOf(this.#walk, value, register);
        return;
      case 'map':
        this.#checkMap(register, value);
        return;
      case 'key':
        this.#checkKey(register, value);
        return;
      case 'value':
        this.#checkMemory(register, this.#needMap().valueSize, false);
        return;
      case 'value-out':
        this.#checkMemory(register, this.#needMap().valueSize, true);
        return;
      case 'memory':
      case 'memory-out':
      case 'memory-or-null':
        // Checked with its size, which comes next.
        return;
      case 'size':
      case 'size-or-zero':
        this.#checkSize(argument, register, value);
        return;
      case 'allocation-size':
        this.#checkAllocationSize(register, value);
        return;
      case 'callback':
        if (value.kind !== 'function') this.#expect(register, value, 'func');
        requireNoOffset(this.#walk, value, register);
        return;
      case 'stack-or-null':
        if (value.kind !== 'stack' && !isNull(this.#walk, value, register))
          this.#expect(register, value, 'fp');
        return;
      case 'allocation':
        this.#checkAllocation(register, value);
        return;
    }
  }

  #checkMap(register: number, value: Register): void {
    if (value.kind !== 'map') this.#expect(register, value, 'map_ptr');
    const map = mapOf(this.#walk.program, this.#walk.at, value.map);
    const { maps, name, writesMap } = this.#helper;
    if (maps !== undefined && !maps.includes(map.type))
      this.#walk.refuse(`cannot pass map_type ${map.type} into func ${name}#${this.#id}`);
    if (writesMap && map.frozen !== undefined) this.#walk.refuse('write into map forbidden');
    this.#map = map;
    this.#mapIndex = value.map;
  }

  #needMap(): MapInput {
    return this.#map ?? this.#walk.refuse('invalid map_ptr to access map->key');
  }

  /** In an array, an index that is known and in its bounds has an element: can_elide_value_nullness(). */
  #checkKey(register: number, value: Register): void {
    const { type, keySize, maxEntries } = this.#needMap();
    this.#checkMemory(register, keySize, false);
    if (type !== 'array' && type !== 'percpu-array') return;
    if (this.#helper.returns !== 'value-or-null') return;
    const index = constantOnStack(this.#walk, value, keySize);
    this.#isThere = index !== undefined && index < BigInt(maxEntries);
  }

  /** check_mem_size_reg() */
  #checkSize(argument: 'size' | 'size-or-zero', register: number, value: Register): void {
    const { number } = value;
    const name = `R${register}`;
    if (value.kind !== 'scalar') this.#expect(register, value, 'scalar');
    if (number.smin < 0n)
      this.#walk.refuse(`${name} min value is negative, either use unsigned or 'var &= const'`);
    const zeroAllowed = argument === 'size-or-zero';
    if (number.umin === 0n && !zeroAllowed)
      this.#walk.refuse(`${name} invalid zero-sized read: u64=[${number.umin},${number.umax}]`);
    if (number.umax >= MAX_SIZE)
      this.#walk.refuse(
        `${name} unbounded memory access, use 'var &= const' or 'if (var < const)'`,
      );
    const writes = this.#helper.arguments[register - 2] === 'memory-out';
    this.#checkMemory(register - 1, Number(number.umax), writes, zeroAllowed);
    this.#walk.requirePrecise(this.#walk.sources(register));
  }

  /** check_helper_mem_access() */
  #checkMemory(register: number, bytes: number, writes: boolean, zeroAllowed = false): void {
    const walk = this.#walk;
    const value = walk.read(register);
    const mayBeNull = this.#helper.arguments[register - 1] === 'memory-or-null';
    if (value.kind === 'stack') {
      this.#checkStack(register, value, bytes, writes);
    } else if (bytes === 0 && mayBeNull && value.kind === 'scalar' && isZero(value.number)) {
      // Nothing, from nowhere.
    } else if (MEMORY.includes(value.kind)) {
      if (isPacket(value) && !this.#helper.takesPacket)
        walk.refuse('helper access to the packet is not allowed');
      checkRegion(walk, register, value, 0, bytes, writes, zeroAllowed);
    } else {
      this.#expect(register, value, MEMORY_NAMES);
    }
  }

  #checkStack(register: number, value: Register, bytes: number, writes: boolean): void {
    const walk = this.#walk;
    const name = `R${register}`;
    const [least, most] = stackBounds(
      walk,
      name,
      value,
      0,
      bytes,
      writes ? 'write to' : 'read from',
    );
    const frame = walk.frameAt(value.frame);
    // What was never written may be read, too, by a privileged program.
    if (writes && bytes > 0) clobberStackRange(frame, least, most + bytes);
  }

  #checkAllocationSize(register: number, value: Register): void {
    const size = value.kind === 'scalar' ? knownValue(value.number) : undefined;
    if (size === undefined) this.#walk.refuse(`R${register} is not a known constant'`);
    this.#walk.requirePrecise(this.#walk.sources(register));
    if (size >= MAX_SIZE) this.#walk.refuse(`R${register} unbounded size`);
    this.#allocation = Number(size);
  }

  #checkAllocation(register: number, value: Register): void {
    if (value.kind !== 'memory' || value.orNull) this.#expect(register, value, 'ringbuf_mem');
    if (value.reference === 0)
      this.#walk.refuse(`R${register} must be referenced when passed to release function`);
    requireNoOffset(this.#walk, value, register);
    this.#released = value;
  }

  release(): void {
    const { reference } = this.#released ?? UNINITIALISED;
    const { references } = this.#walk.state;
    const index = references.indexOf(reference);
    if (index < 0)
      this.#walk.refuse(
        `func ${this.#helper.name}#${this.#id} reference has not been acquired before`,
      );
    references.splice(index, 1);
    replaceRegisters(this.#walk.state, (each) =>
      each.reference === reference ? ANY_SCALAR : each,
    );
  }

  result(): Register {
    switch (this.#helper.returns) {
      case 'number':
        return ANY_SCALAR;
      case 'cpu':
        return scalarRegister(below(this.#walk.program.input.cpus));
      case 'nothing':
        return UNINITIALISED;
      case 'value-or-null':
        return this.#element();
      case 'memory-or-null': {
        const reference = this.#walk.newId();
        this.#walk.state.references.push(reference);
        return pointer('memory', {
          orNull: true,
          id: reference,
          reference,
          size: this.#allocation,
        });
      }
    }
  }

  #element(): Register {
    const id = this.#walk.newId();
    // What a lookup gives of these can be tested, and no more.
    if (!HAS_VALUES.has(this.#needMap().type))
      return pointer('memory', { orNull: true, id, size: 0 });
    const map = this.#mapIndex;
    return pointer('map-value', this.#isThere ? { map } : { map, id, orNull: true });
  }

  #expect(register: number, value: Register, expected: string): never {
    this.#walk.refuse(`R${register} type=${typeName(value)} expected=${expected}`);
  }
}

/** do_refine_retval_range() */
function below(limit: number | undefined): Scalar {
  return limit === undefined ? ANY : assume('lt', true, true, ANY, constantOf(limit))[0];
}

const MEMORY_NAMES = 'fp, pkt, pkt_meta, map_value, mem';

/** BPF_MAX_VAR_SIZ */
const MAX_SIZE = 1n << 29n;
const HAS_VALUES: ReadonlySet<string> = new Set([
  'hash',
  'array',
  'percpu-hash',
  'percpu-array',
  'lru-hash',
  'lru-percpu-hash',
  'lpm-trie',
  'devmap',
  'devmap-hash',
]);

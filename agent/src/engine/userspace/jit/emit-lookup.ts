import type { RawInstruction } from '#agent/object/instructions.ts';
import { operationOf } from '../isa/opcodes.ts';
import type { Site } from '../isa/sites.ts';
import type { MapInput } from '../verifier/input.ts';
import { RAX, RCX, RSI } from './registers.ts';
import type { X64 } from './x64.ts';

/** A map that a program names by its number. */
export type CompiledMap = Pick<MapInput, 'type' | 'valueSize' | 'maxEntries'>;

const ABOVE_OR_EQUAL = 3;
const ADD = 0x01;
const CMP = 7;
const SHL = 4;

/**
 * A lookup in an array without a call. Registers that a call loses may be lost.
 *
 * @param firstValue puts the address of the first value into rax
 */
export function emitArrayLookup(
  code: X64,
  { valueSize, maxEntries }: CompiledMap,
  firstValue: () => void,
): void {
  // mov (%rsi),%ecx: the index.
  code.memory(false, 0x8b, RCX, RSI, 0);
  code.moveNumber(RAX, 0n);
  code.arithmetic(false, CMP, RCX, maxEntries | 0);
  const outside = code.skip(ABOVE_OR_EQUAL);
  const stride = Math.ceil(valueSize / 8) * 8;
  const shift = Math.log2(stride);
  if (Number.isInteger(shift)) {
    code.registers(true, 0xc1, SHL, RCX);
    code.byte(shift);
  } else {
    code.registers(true, 0x69, RCX, RCX);
    code.int32(stride);
  }
  firstValue();
  code.registers(true, ADD, RCX, RAX);
  code.land(outside);
}

/** BPF_FUNC_map_lookup_elem. */
const LOOKUP = 1;
/** The first argument of a helper function. */
const MAP_REGISTER = 1;

/** Lookups of which the instructions alone say in which map. */
export class Lookups {
  readonly #slots: readonly RawInstruction[];
  readonly #maps: readonly CompiledMap[];
  readonly #targets: ReadonlySet<number>;

  constructor(
    slots: readonly RawInstruction[],
    sites: readonly Site[],
    maps: readonly CompiledMap[],
  ) {
    this.#slots = slots;
    this.#maps = maps;
    this.#targets = maps.length === 0 ? new Set() : targetsOf(slots, sites);
  }

  /**
   * Number of the array that the call at a slot looks into: r1 is loaded with a map right before it, and nothing jumps
   * in between. Undefined: something else, or not known.
   */
  arrayAt(call: number): number | undefined {
    if (this.#slots[call]?.imm !== LOOKUP || this.#targets.has(call)) return undefined;
    const load = this.#slots[call - 2];
    const operation = load && operationOf(load);
    if (operation?.kind !== 'constant' || load?.dst !== MAP_REGISTER) return undefined;
    if (operation.of !== 'map-fd' && operation.of !== 'map-index') return undefined;
    return this.#maps[load.imm]?.type === 'array' ? load.imm : undefined;
  }
}

function targetsOf(slots: readonly RawInstruction[], sites: readonly Site[]): ReadonlySet<number> {
  const targets = new Set(sites.map(({ target }) => target));
  for (const [at, instruction] of slots.entries()) {
    const operation = operationOf(instruction);
    if (operation?.kind === 'goto') targets.add(at + 1 + operation.distance);
    else if (operation?.kind === 'branch') targets.add(at + 1 + instruction.offset);
  }
  return targets;
}

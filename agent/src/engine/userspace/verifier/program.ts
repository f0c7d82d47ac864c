import type { RawInstruction } from '#agent/object/instructions.ts';
import { type Operation, operationOf, slotsOf } from '../isa/opcodes.ts';
import type { Site } from '../isa/sites.ts';
import { validate } from '../isa/validate.ts';
import type { FunctionInput, LineInput, MapInput, VerifierInput } from './input.ts';
import { Refusal } from './refusal.ts';
import { type Register, scalarRegister } from './register.ts';
import { constantOf } from './scalar.ts';

/** The input, taken apart once so that the walk only looks up. */
export interface Program {
  readonly input: VerifierInput;
  readonly slots: readonly RawInstruction[];
  /** By slot; undefined for the second slot of an ld_imm64. */
  readonly operations: readonly (Operation | undefined)[];
  readonly functions: readonly FunctionInput[];
  /** Index of the function, by slot. */
  readonly functionAt: Uint16Array;
  /** The number that an instruction holds, by slot. */
  readonly immediates: readonly Register[];
  /** By the slot of the jump, and by the first slot that serves it. */
  readonly sites: ReadonlyMap<number, Site>;
  /** What loads and stores that were looked at went to: no one instruction to a context and to other memory. */
  readonly accesses: Map<number, 'context' | 'other'>;
}

/** @throws Refusal where an instruction is malformed, or a function or a static branch is not in its place */
export function decodeProgram(input: VerifierInput): Program {
  const { slots, functions, sites } = input;
  const malformed = validate(slots);
  if (malformed !== undefined) throw new Refusal(malformed.instruction, malformed.reason);
  const operations: (Operation | undefined)[] = new Array(slots.length);
  for (let at = 0; at < slots.length; ) {
    const instruction = slots[at];
    if (instruction === undefined) break;
    operations[at] = operationOf(instruction);
    at += slotsOf(instruction);
  }
  const functionAt = placeFunctions(functions, operations);
  return {
    input,
    slots,
    operations,
    functions,
    functionAt,
    immediates: slots.map(({ imm }) => scalarRegister(constantOf(imm))),
    accesses: new Map(),
    sites: placeSites(sites ?? [], operations, functionAt),
  };
}

/** What a site goes to is said by the table of its object, not by the instruction that validate() has looked at. */
function placeSites(
  sites: readonly Site[],
  operations: readonly (Operation | undefined)[],
  functionAt: Uint16Array,
): ReadonlyMap<number, Site> {
  const places = new Map<number, Site>();
  for (const site of sites) {
    const { start, instruction, target } = site;
    if (operations[target] === undefined || functionAt[target] !== functionAt[instruction])
      throw new Refusal(instruction, `the static branch goes to ${target}, out of its function`);
    places.set(start, site).set(instruction, site);
  }
  return places;
}

function placeFunctions(
  functions: readonly FunctionInput[],
  operations: readonly (Operation | undefined)[],
): Uint16Array {
  const functionAt = new Uint16Array(operations.length);
  if (functions[0]?.start !== 0) throw new Refusal(0, 'the main function does not start at 0');
  functions.forEach(({ name, start }, index) => {
    const end = functions[index + 1]?.start ?? operations.length;
    if (start >= end) throw new Refusal(start, `function ${name} has no instructions`);
    if (operations[start] === undefined)
      throw new Refusal(start, `function ${name} starts in the middle of an instruction`);
    functionAt.fill(index, start, end);
  });
  return functionAt;
}

/** @throws Refusal at the instruction that names the map */
export function mapOf({ input }: Program, at: number, index: number): MapInput {
  const map = input.maps[index];
  if (map === undefined) throw new Refusal(at, `fd ${index} is not pointing to valid bpf_map`);
  return map;
}

/** The line that an instruction was made of. */
export function lineOf({ input }: Program, at: number): LineInput | undefined {
  return input.lines?.findLast((line) => line.instruction <= at);
}

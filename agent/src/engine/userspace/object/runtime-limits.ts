import { viewOf } from '#agent/object/sections.ts';
import type { ObjectSpec } from '#agent/object/spec.ts';
import { operationOf, slotsOf } from '../isa/opcodes.ts';
import { helperName } from '../verifier/helpers.ts';
import type { MapType } from '../verifier/input.ts';
import type { LinkedProgram } from './link.ts';
import { notForRuntimes } from './not-for-runtimes.ts';
import type { ObjectMap } from './object-maps.ts';

/** Of enum bpf_func_id: vm_helper_find() of agent/libskein/src/vm-helpers.c. */
export const RUNTIME_HELPERS: ReadonlySet<number> = new Set([
  1, 2, 3, 5, 7, 8, 12, 28, 42, 44, 54, 65, 118, 125, 130, 131, 132, 133, 134, 160, 188, 189, 190,
  208,
]);

/** As in MakeVmMap. */
const RUNTIME_MAPS: readonly MapType[] = [
  'hash',
  'array',
  'prog-array',
  'percpu-hash',
  'percpu-array',
  'lru-hash',
  'lpm-trie',
  'ringbuf',
];

/** Length of a .BTF.ext header that has the two words on CO-RE records: Documentation/bpf/btf.rst. */
const HEADER_WITH_RECORDS = 32;

/**
 * What a runtime has none of, so that an object is refused before a runtime is asked.
 *
 * @throws SkeinError SKEIN_BAD_PROGRAM
 */
export function requireRuntimeObject(spec: ObjectSpec, maps: readonly ObjectMap[]): void {
  if (hasCoreRelocations(spec))
    throw notForRuntimes('the object has CO-RE relocations, which ask for types of the kernel');
  if (spec.sections.some(({ name, relocations }) => name === '.maps' && relocations.length > 0))
    throw notForRuntimes('the object gives entries of its maps');
  const map = maps.find(({ type }) => !RUNTIME_MAPS.includes(type));
  if (map !== undefined) throw notForRuntimes(`map ${map.name} is of type ${map.type}`);
}

/** @throws SkeinError SKEIN_BAD_PROGRAM */
export function requireRuntimeHelpers(program: string, { slots }: LinkedProgram): void {
  for (let at = 0; at < slots.length; ) {
    const instruction = slots[at];
    if (instruction === undefined) break;
    const operation = operationOf(instruction);
    const isHelper = operation?.kind === 'call' && operation.callee === 'helper';
    if (isHelper && !RUNTIME_HELPERS.has(instruction.imm)) {
      const name = helperName(instruction.imm) ?? `helper ${instruction.imm}`;
      throw notForRuntimes(`program ${program} calls ${name}`);
    }
    at += slotsOf(instruction);
  }
}

function hasCoreRelocations(spec: ObjectSpec): boolean {
  const section = spec.sections.find(({ name }) => name === '.BTF.ext');
  if (section === undefined) return false;
  const view = viewOf(section);
  return view.u32(4) >= HEADER_WITH_RECORDS && view.u32(28) !== 0;
}

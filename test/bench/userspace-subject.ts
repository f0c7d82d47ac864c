import { assemble } from '#agent/engine/userspace/isa/assemble.ts';
import type { Site } from '#agent/engine/userspace/isa/sites.ts';
import { linkProgram } from '#agent/engine/userspace/object/link.ts';
import { mapsOfObject, type ObjectMap } from '#agent/engine/userspace/object/object-maps.ts';
import { kindOfSection } from '#agent/engine/userspace/object/program-kind.ts';
import { translateContext } from '#agent/engine/userspace/prepare.ts';
import type { VerifierInput } from '#agent/engine/userspace/verifier/input.ts';
import { verify } from '#agent/engine/userspace/verifier/verify.ts';
import type { Vm } from '#agent/helper/helper.ts';
import type { RawInstruction } from '#agent/object/instructions.ts';
import { readObject } from '#agent/object/read-object.ts';

/** Programs of an object as the verifier takes them. */
export interface LinkedObject {
  readonly maps: readonly ObjectMap[];
  input(program: string): VerifierInput;
}

export function linkObject(bytes: Uint8Array): LinkedObject {
  const spec = readObject(bytes);
  const maps = mapsOfObject(spec);
  return {
    maps,
    input(name) {
      const program = spec.programs.find((each) => each.name === name);
      if (program === undefined) throw new Error(`no program ${name}`);
      const kind = kindOfSection(name, program.section);
      return { ...linkProgram(spec, maps, program), kind, maps, gplCompatible: true };
    },
  };
}

/** The maps of an object in skein-vm, in its order; globals are zero. */
export async function makeMaps(vm: Vm, maps: readonly ObjectMap[]): Promise<readonly number[]> {
  const handles: number[] = [];
  for (const { number: type, keySize, valueSize, maxEntries, flags } of maps) {
    const map = { type, keySize, valueSize, maxEntries, flags, name: 'bench' };
    handles.push((await vm.request('makeVmMap', map)).map);
  }
  return handles;
}

/** An XDP program behind one that makes a packet of the memory which it is run on: data and data_end. */
export interface Subject {
  readonly slots: readonly RawInstruction[];
  readonly sites: readonly Site[];
}

const PACKET = assemble(`
  *(u64 *)(r10 -64) = r1
  r2 += r1
  *(u64 *)(r10 -56) = r2
  r1 = r10
  r1 += -64
  call program
  exit
  program: exit`).slice(0, -1);

/** @throws Error when the verifier refuses it */
export function subjectOf(input: VerifierInput): Subject {
  const result = verify(input);
  if (!result.accepted) throw new Error(`${result.text}: ${result.reason}`);
  const by = PACKET.length;
  return {
    slots: [...PACKET, ...translateContext(input, result.contextAccesses)],
    sites: (input.sites ?? []).map(({ start, instruction, target, inverse }) => ({
      start: start + by,
      instruction: instruction + by,
      target: target + by,
      inverse,
    })),
  };
}

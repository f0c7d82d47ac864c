import { readFileSync } from 'node:fs';
import type { Helper } from '#agent/helper/helper.ts';
import { lift } from '#agent/program/lift.ts';
import { lower } from '#agent/program/lower.ts';
import { specialise } from '#agent/program/specialise.ts';
import type { LabHost } from '#lab/netns.ts';
import { bpfObject, GUARD } from './paths.ts';

/** A program whose static keys are flipped. */
export interface FlipProgram {
  /** Path of the object. */
  readonly object: string;
  readonly name: string;
  readonly key: string;
}

export const SMALL: FlipProgram = { object: GUARD, name: 'guard_xdp', key: 'drop_icmp' };
/** About 50,000 instructions. */
export const LARGE: FlipProgram = { object: bpfObject('large'), name: 'large', key: 'first' };

/** The program behind a dispatcher, its dynamic variant and a specialised one loaded. */
export interface Subject {
  /** Nanoseconds, taken in the helper around the store alone. */
  readonly writeVariable: () => Promise<number>;
  /** Nanoseconds, taken in the helper around the system call alone. */
  readonly swapSlot: () => Promise<number>;
}

export async function attachSubject(
  helper: Helper,
  { object: path, name, key: keyName }: FlipProgram,
  { device, netns }: LabHost,
): Promise<Subject> {
  const object = readFileSync(path);
  const lifted = lift(object);
  const key = lifted.spec.keys.find((each) => each.name === keyName);
  const off = new Map(lifted.spec.keys.map((each) => [each.name, false]));
  const programs = [name];
  const load = (bytes: Uint8Array) =>
    helper.request('load', { object: bytes, name: 'bench', programs, reuse: [] });
  const dynamic = await load(object);
  const specialised = await load(lower(specialise(lifted, off, { programs: new Set(programs) })));
  const variants = [dynamic, specialised].map((loaded) => loaded.programs[0]?.program ?? 0);
  const map = dynamic.maps.find(({ section }) => section === key?.section)?.map;
  if (!key || map === undefined) throw new Error(`${path} has no static key ${keyName}`);

  const { dispatcher, slot } = await helper.request('makeDispatcher', {
    program: variants[0] ?? 0,
  });
  await helper.request('attach', {
    program: dispatcher,
    hook: { $case: 'xdp', value: { device, netns, mode: 0 } },
  });
  let value = 0;
  return {
    async writeVariable() {
      value ^= 1;
      const variables = [{ map, offset: key.offset, value }];
      return Number((await helper.request('writeVariables', { variables })).pokeNs);
    },
    async swapSlot() {
      variants.reverse();
      const program = variants[0] ?? 0;
      return Number((await helper.request('setSlot', { slot, program })).pokeNs);
    },
  };
}

import { readFileSync } from 'node:fs';
import type { Site } from '#agent/engine/userspace/isa/sites.ts';
import { type Compiled, compile } from '#agent/engine/userspace/jit/compile.ts';
import { SITE_BYTES, siteBytes } from '#agent/engine/userspace/jit/layout.ts';
import { Machine } from '#agent/engine/userspace/machine.ts';
import type { Vm } from '#agent/helper/helper.ts';
import { bpfObject } from './paths.ts';
import { compiled as runOf, TurnClock } from './userspace-engines.ts';
import { linkObject, makeMaps, subjectOf } from './userspace-subject.ts';

/** Sites in the programs FORM_key of test/bench/bpf/userspace.bpf.c. */
export const SITES = 16;

/** Where code is within two cache lines shifts its time by some percents: it is measured at each of these. */
const PLACES = [...Array(16).keys()].map((place) => 64 + 8 * place);

export interface SiteTimes {
  /** Nanoseconds per run. Those of one index were taken right after each other, at the same place. */
  readonly none: readonly number[];
  readonly off: readonly number[];
  /** `none` once more: how far a ratio is from 1 by noise alone. */
  readonly control: readonly number[];
  /** Whether each site, as it is read back, is the one nop. */
  readonly isOneNop: boolean;
}

/** Short, for what matters is how many there are. */
const TURN_NS = 1e6;

/**
 * A program with 16 sites that are off, and the same with the sites deleted from its source.
 *
 * @param program `flags`: a run begins with what the one before it gave; `overlapped`: the processor runs two at a time
 */
export async function measureSites(
  vm: Vm,
  program: 'flags' | 'overlapped',
  rounds: number,
): Promise<SiteTimes> {
  const linked = linkObject(readFileSync(bpfObject('userspace')));
  const machine = new Machine(vm);
  const maps = await makeMaps(vm, linked.maps);
  const clock = new TurnClock(TURN_NS);
  let isOneNop = true;

  const startAt = async (name: string, place: number) => {
    const subject = subjectOf(linked.input(name));
    const moved = moveTo(place, compile(subject.slots, subject.sites));
    const code = await machine.map(moved, maps);
    const bytes = await machine.readBack(code);
    for (const { offset } of moved.sites) {
      const found = bytes.subarray(offset, offset + SITE_BYTES);
      isOneNop &&= Buffer.compare(found, siteBytes(false, 0)) === 0;
    }
    return await clock.turn(runOf(vm, code, subject));
  };
  const places: (readonly (readonly [samples: number[], turn: () => Promise<number>])[])[] = [];
  const [none, off, control]: [number[], number[], number[]] = [[], [], []];
  for (const place of PLACES) {
    places.push([
      [none, await startAt(`${program}_none`, place)],
      [off, await startAt(`${program}_key`, place)],
      [control, await startAt(`${program}_none`, place)],
    ]);
  }
  for (let round = 0; round < rounds; round++) {
    for (const forms of places) {
      for (const [samples, turn] of round % 2 ? forms.toReversed() : forms)
        samples.push(await turn());
    }
  }
  return { none, off, control, isOneNop };
}

/** The code behind a jump to it. */
function moveTo<S extends Site>(place: number, compiled: Compiled<S>): Compiled<S> {
  const code = new Uint8Array(place + compiled.code.length);
  code.set(siteBytes(true, place - SITE_BYTES));
  code.set(compiled.code, place);
  return {
    code,
    patches: compiled.patches.map(({ offset, target }) => ({
      offset: offset + place,
      target: target.kind === 'code' ? { ...target, offset: target.offset + place } : target,
    })),
    sites: compiled.sites.map(({ site, offset, target }) => ({
      site,
      offset: offset + place,
      target: target + place,
    })),
    offsets: compiled.offsets.map((offset) => offset + place),
    functions: new Map([...compiled.functions].map(([slot, offset]) => [slot, offset + place])),
  };
}

import { readFileSync, rmSync } from 'node:fs';
import type { Specialisation } from '#agent/engine/engine.ts';
import { KernelEngine } from '#agent/engine/kernel/kernel-engine.ts';
import { startHelper } from '#agent/helper/helper-process.ts';
import { systemClock } from '#common/clock.ts';
import { type LabHost, labName } from '#lab/netns.ts';
import type { FlipProgram } from './flip-subject.ts';
import { HELPER } from './paths.ts';

const UNIT = 'bench';

/** Nanoseconds from the call. */
export interface ColdFlips {
  /** Until the new value is in force and read back: by the dynamic variant. */
  readonly inForce: number[];
  /** Until the variant specialised for it is in force. */
  readonly settled: number[];
}

/** Flips to vectors for which no variant is loaded, through the whole engine. */
export async function measureColdFlips(
  { object, name, key }: FlipProgram,
  { device, netns }: LabHost,
  rounds: number,
): Promise<ColdFlips> {
  const pinRoot = `/sys/fs/bpf/${labName('cold')}`;
  let outcome = Promise.withResolvers<Specialisation>();
  const engine = new KernelEngine({
    startHelper: () => startHelper({ path: HELPER, pinRoot }),
    // No room for a second variant, so none is prepared.
    limits: { count: 1, bytes: 2 ** 24 },
    clock: systemClock,
    onSpecialised: (specialisation) => outcome.resolve(specialisation),
    onHelperExit: (why) => outcome.reject(new Error(why)),
  });
  const settled = async () => {
    const { result } = await outcome.promise;
    if (result !== 'in_force') throw new Error(`specialising ${name}: ${result}`);
    outcome = Promise.withResolvers();
  };
  const flips: ColdFlips = { inForce: [], settled: [] };
  try {
    await engine.load({
      name: UNIT,
      object: readFileSync(object),
      objectPath: object,
      attachments: [{ program: name, hook: { kind: 'xdp', device, netns } }],
    });
    await engine.attach(UNIT);
    await settled();
    for (let round = 1; round <= rounds; round++) {
      const start = performance.now();
      const { tier } = await engine.flip(UNIT, new Map([[key, round % 2 === 1]]));
      flips.inForce.push(nsSince(start));
      if (tier !== 'dynamic') throw new Error(`a flip of ${name} found a variant`);
      await settled();
      flips.settled.push(nsSince(start));
    }
    await engine.unload(UNIT);
    return flips;
  } finally {
    await engine.close();
    rmSync(pinRoot, { recursive: true, force: true });
  }
}

const nsSince = (start: number): number => Math.round((performance.now() - start) * 1e6);

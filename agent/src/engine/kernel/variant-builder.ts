import { SkeinError } from '#common/errors.ts';
import { Availability } from '#proto/gen/skein/v1/helper.ts';
import type { Helper } from '../../helper/helper.ts';
import type { ObjectSpec } from '../../object/spec.ts';
import { JobThread } from '../job-thread.ts';
import type { HelperSession } from './helper-session.ts';
import { adopt, closeHandles, pinProgram } from './pin-tree.ts';
import { mapPin } from './pins.ts';
import type { ReadUnit } from './read-unit.ts';
import type { SpecialiseJob } from './specialise-worker.ts';
import type { KeyVector } from './vector.ts';
import { type LoadStatistics, parseLoadStatistics } from './verifier-log.ts';
import { objectName } from './version.ts';

export interface BuildRequest {
  readonly unit: ReadUnit;
  /** Whose maps the variant shares: "UNIT/v1_...", below the pin root. */
  readonly version: string;
  readonly program: string;
  readonly vector: KeyVector;
  /** The directory to pin the variant in. */
  readonly pin: string;
}

/**
 * Makes specialised variants out of the way of flips: edits in a thread, and loads through a helper process
 * of its own, for the verifier may take seconds and a helper answers in order.
 */
export class VariantBuilder {
  readonly #session: HelperSession;
  /** An object too large for its heap stays dynamic. */
  readonly #thread = new JobThread<SpecialiseJob, Uint8Array>({
    worker: new URL('specialise-worker.ts', import.meta.url),
    doing: 'specialising',
    heapMiB: 512,
  });
  /** Asked once: the kernel stays the same. */
  #gotol: boolean | undefined;

  constructor(session: HelperSession) {
    this.#session = session;
  }

  /**
   * Builds, loads and pins. The pin is there when this resolves; its program is in no slot yet. Once more with a
   * new helper when the old one died under it.
   */
  async build(request: BuildRequest): Promise<LoadStatistics> {
    const helper = await this.#session.current();
    try {
      return await this.#buildWith(helper, request);
    } catch (thrown) {
      if (!(thrown instanceof SkeinError && thrown.code === 'SKEIN_HELPER_DIED')) throw thrown;
      await helper.exited;
      return this.#buildWith(await this.#session.current(), request);
    }
  }

  async #buildWith(
    helper: Helper,
    { unit, version, program, vector, pin }: BuildRequest,
  ): Promise<LoadStatistics> {
    this.#gotol ??= await knowsGotol(helper);
    const object = await this.#thread.run({
      digest: unit.digest,
      object: unit.spec.object,
      program,
      vector,
      gotol: this.#gotol,
    });
    const open: number[] = [];
    try {
      const reuse = await adoptMaps(helper, unit.object, version, open);
      const name = objectName(unit.spec.name);
      const loaded = await helper.request('load', { object, name, programs: [program], reuse });
      const [variant] = loaded.programs;
      open.push(...loaded.maps.map(({ map }) => map), ...loaded.programs.map((p) => p.program));
      if (!variant) throw new SkeinError('SKEIN_HELPER_PROTOCOL', `load of ${program}: nothing`);
      await pinProgram(helper, pin, variant);
      return parseLoadStatistics(new TextDecoder().decode(variant.verifierLog));
    } finally {
      await closeHandles(helper, new Set(open));
    }
  }

  async close(): Promise<void> {
    await this.#thread.close();
    await this.#session.close();
  }
}

/** Every map of the version, so that all variants see the same data. */
async function adoptMaps(helper: Helper, object: ObjectSpec, version: string, open: number[]) {
  const reuse: { name: string; map: number }[] = [];
  for (const name of mapNames(object)) {
    const adopted = await adopt(helper, mapPin(version, name));
    if (adopted === undefined) continue;
    open.push(adopted.handle);
    reuse.push({ name, map: adopted.handle });
  }
  return reuse;
}

/** Maps that libbpf may make of the object: those declared, and one for each section of data. */
function mapNames({ sections, symbols }: ObjectSpec): readonly string[] {
  const declared = sections.findIndex(({ name }) => name === '.maps');
  const maps = symbols.filter((symbol) => symbol.section === declared && symbol.name !== '');
  const data = sections.filter(({ name }) => /^\.(data|rodata|bss|kconfig)(\.|$)/.test(name));
  return [...new Set([...maps, ...data].map(({ name }) => name))];
}

/** Whether the kernel takes `gotol`, the jump of 32 bits. */
async function knowsGotol(helper: Helper): Promise<boolean> {
  const { features } = await helper.request('probe', {});
  return features.some(
    ({ name, availability }) => name === 'gotol' && availability === Availability.YES,
  );
}

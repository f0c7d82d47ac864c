import { createHash } from 'node:crypto';
import { SkeinError } from '#common/errors.ts';
import { readObject } from '../../object/read-object.ts';
import type { StaticBranch } from '../../object/spec.ts';
import type {
  CounterPlace,
  Engine,
  EngineProbe,
  FlipReport,
  ProgramStatus,
  SiteStatus,
  UnitSpec,
  UnitStatus,
} from '../engine.ts';
import { siteIdentity } from '../site-identity.ts';
import { counterKey, type FakeObject, type FakeUnit, type FakeWorld } from './fake-world.ts';

/**
 * An engine over a {@link FakeWorld} instead of a kernel, for tests of everything above the engine.
 * Objects are real ones; what programs would do is modelled by the values of their keys.
 */
export class FakeEngine implements Engine {
  readonly kind = 'fake';
  readonly #world: FakeWorld;
  /** Units this engine loaded or adopted. */
  readonly #held = new Set<string>();
  readonly #wereAttached = new WeakSet<FakeObject>();

  constructor(world: FakeWorld) {
    this.#world = world;
  }

  async probe(): Promise<EngineProbe> {
    return {
      kernelRelease: '0.0.0-fake',
      features: [{ name: 'jit', availability: 'yes', detail: '' }],
    };
  }

  async load(spec: UnitSpec): Promise<UnitStatus> {
    this.#world.strike('load', spec.name);
    const object = readObject(spec.object);
    const loaded: FakeObject = {
      spec,
      object,
      digest: digestOf(spec),
      keys: new Map(object.keys.map((key) => [key.name, key.declared])),
      counters: new Map(),
      firstProgramId: this.#world.takeProgramIds(spec.attachments.length),
    };
    const inForce = this.#world.units.get(spec.name)?.inForce;
    const unit: FakeUnit = inForce ? { loaded, inForce } : { loaded };
    this.#world.units.set(spec.name, unit);
    this.#held.add(spec.name);
    return this.#done('load', unit);
  }

  async attach(name: string): Promise<UnitStatus> {
    const unit = this.#unit(name);
    try {
      this.#world.strike('attach', name);
    } catch (thrown) {
      if (!this.#wereAttached.has(unit.loaded)) this.#held.delete(name);
      throw thrown;
    }
    unit.inForce = unit.loaded;
    this.#wereAttached.add(unit.loaded);
    return this.#done('attach', unit);
  }

  async adopt(spec: UnitSpec): Promise<UnitStatus | undefined> {
    this.#world.strike('adopt', spec.name);
    const unit = this.#world.units.get(spec.name);
    if (!unit?.inForce || unit.inForce.digest !== digestOf(spec)) return undefined;
    if (!sameHooks(unit.inForce.spec, spec)) return undefined;
    unit.loaded = unit.inForce;
    this.#wereAttached.add(unit.loaded);
    this.#held.add(spec.name);
    return this.#done('adopt', unit);
  }

  async flip(name: string, changes: ReadonlyMap<string, boolean>): Promise<FlipReport> {
    const { loaded } = this.#unit(name);
    for (const key of changes.keys()) assertKey(loaded, key);
    this.#world.strike('flip', name);
    for (const [key, value] of changes) this.#world.write(loaded, key, value);
    const keys = new Map([...changes.keys()].map((key) => [key, loaded.keys.get(key) === true]));
    for (const [key, value] of changes) {
      if (keys.get(key) !== value) throw mismatch(name, key, value);
    }
    this.#world.history.push(`flip ${name}`);
    return { keys, tier: 'dynamic', pokeNs: BigInt(changes.size) };
  }

  expect(): void {}

  async observe(name: string): Promise<UnitStatus> {
    const unit = this.#unit(name);
    this.#world.strike('observe', name);
    return statusOf(unit);
  }

  async sites(name: string): Promise<readonly SiteStatus[]> {
    const { loaded } = this.#unit(name);
    this.#world.strike('sites', name);
    return loaded.spec.attachments.flatMap(({ program }, index) =>
      sitesOf(loaded, program, loaded.firstProgramId + index),
    );
  }

  async readCounters(
    name: string,
    map: string,
    places: readonly CounterPlace[],
  ): Promise<readonly bigint[]> {
    const { loaded } = this.#unit(name);
    this.#world.strike('readCounters', name);
    return places.map((place) => loaded.counters.get(counterKey(map, place)) ?? 0n);
  }

  async unload(name: string): Promise<void> {
    this.#world.strike('unload', name);
    this.#world.units.delete(name);
    this.#held.delete(name);
    this.#world.history.push(`unload ${name}`);
  }

  async leftovers(): Promise<readonly string[]> {
    return [...this.#world.units.keys()];
  }

  async close(): Promise<void> {
    this.#held.clear();
  }

  #unit(name: string): FakeUnit {
    const unit = this.#held.has(name) ? this.#world.units.get(name) : undefined;
    if (!unit) throw new SkeinError('SKEIN_INTERNAL', `unit ${name} is not loaded`);
    return unit;
  }

  #done(operation: string, unit: FakeUnit): UnitStatus {
    this.#world.history.push(`${operation} ${unit.loaded.spec.name}`);
    return statusOf(unit);
  }
}

function statusOf(unit: FakeUnit): UnitStatus {
  const { loaded } = unit;
  const attached = unit.inForce === loaded;
  return {
    unit: loaded.spec.name,
    objectDigest: loaded.digest,
    attached,
    keys: new Map(loaded.keys),
    programs: loaded.spec.attachments.map((_, index) => programStatus(loaded, index, attached)),
  };
}

function programStatus(loaded: FakeObject, index: number, attached: boolean): ProgramStatus {
  const attachment = loaded.spec.attachments[index];
  const found = loaded.object.programs.find((program) => program.name === attachment?.program);
  if (!attachment || !found) {
    throw new SkeinError('SKEIN_INTERNAL', `${loaded.spec.name}: no program ${index}`);
  }
  const isHere = (site: StaticBranch) => site.function === found.name;
  return {
    program: found.name,
    type: attachment.hook.kind,
    attachPoint: `${attachment.hook.kind} fake`,
    attached,
    tier: 'dynamic',
    programId: loaded.firstProgramId + index,
    sites: loaded.object.keys.flatMap((key) => key.sites).filter(isHere).length,
    variants: 1,
    variantBytes: found.length * 4,
    bytesSaved: 0,
    tierReason: '',
    statistics: {
      verifiedInstructions: found.length,
      verificationTimeUs: 1,
      stackDepthBytes: 0,
      totalStates: 1,
      peakStates: 1,
      xlatedBytes: found.length * 8,
      jitedBytes: found.length * 4,
    },
  };
}

/** A program's code is as it is in the object, at an address made of its id. */
function sitesOf({ object, keys }: FakeObject, program: string, id: number): SiteStatus[] {
  const found = object.programs.find(({ name }) => name === program);
  const isHere = (site: StaticBranch) => site.function === found?.name;
  return object.keys
    .flatMap(({ sites }) => sites.filter(isHere))
    .map((site) => {
      const identity = siteIdentity(object, site);
      const offset = identity.functionOffset;
      return {
        program,
        ...identity,
        on: keys.get(site.key) === true,
        state: 'branch',
        translatedOffset: offset,
        jitedOffset: offset * 4,
        address: 0xffff_ffff_c000_0000n + BigInt(id * 0x10_0000 + offset * 4),
      };
    });
}

function assertKey(loaded: FakeObject, key: string): void {
  if (loaded.keys.has(key)) return;
  throw new SkeinError(
    'SKEIN_UNKNOWN_STATIC_KEY',
    `unit ${loaded.spec.name} has no static key "${key}"; it has: ${[...loaded.keys.keys()].join(', ')}`,
  );
}

function mismatch(unit: string, key: string, wrote: boolean): SkeinError {
  return new SkeinError(
    'SKEIN_READBACK_MISMATCH',
    `unit ${unit}, static key ${key}: wrote ${wrote}, read ${!wrote}`,
  );
}

function digestOf(spec: UnitSpec): string {
  return createHash('sha256').update(spec.object).digest('hex');
}

function sameHooks(a: UnitSpec, b: UnitSpec): boolean {
  return JSON.stringify(a.attachments) === JSON.stringify(b.attachments);
}

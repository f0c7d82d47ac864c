import type { Clock } from '#common/clock.ts';
import { SkeinError } from '#common/errors.ts';
import { Availability } from '#proto/gen/skein/v1/helper.ts';
import type { Helper } from '../../helper/helper.ts';
import type {
  CounterPlace,
  Engine,
  EngineProbe,
  FlipReport,
  ProbedFeature,
  SiteStatus,
  Specialisation,
  UnitSpec,
  UnitStatus,
} from '../engine.ts';
import { HelperSession } from './helper-session.ts';
import { removeHook } from './hook-slot.ts';
import type { KernelProgram } from './kernel-program.ts';
import { KernelUnit } from './kernel-unit.ts';
import { lockPins } from './lock-pins.ts';
import { listDirectory, listUnits, removeDirectory } from './pin-tree.ts';
import { isHook } from './pins.ts';
import { readUnit } from './read-unit.ts';
import { Specialiser, type SpecialiserJob } from './specialiser.ts';
import { attachUnit, removeOthers } from './unit-attach.ts';
import { flipUnit } from './unit-flip.ts';
import { unitSites } from './unit-sites.ts';
import { VariantBuilder } from './variant-builder.ts';
import type { VariantLimits } from './variant-cache.ts';
import type { KeyVector } from './vector.ts';

export interface KernelEngineOptions {
  /** Called when a helper is first needed, and again after one ended: two run side by side. */
  readonly startHelper: () => Promise<Helper>;
  /** What each program may keep loaded besides its dynamic variant. */
  readonly limits: VariantLimits;
  readonly clock: Clock;
  /** Called when a helper ended by itself; the next call starts another and takes the pins over. */
  readonly onHelperExit: (why: string) => void;
  /** Called after each specialisation in the background, when what it changed can be observed. */
  readonly onSpecialised: (outcome: Specialisation) => void;
}

/**
 * Stock kernels: every program is attached by way of a dispatcher and its slot. A flip puts the specialised
 * variant into the slot when it is loaded, and the dynamic one, which reads the keys' variables, when it is not
 * yet. All of it is pinned, so a crash of agent or helper changes no branch.
 */
export class KernelEngine implements Engine {
  readonly kind = 'kernel';
  readonly #options: KernelEngineOptions;
  readonly #session: HelperSession;
  readonly #builder: VariantBuilder;
  readonly #specialiser: Specialiser;
  readonly #units = new Map<string, KernelUnit>();
  readonly #expected = new Map<string, ReadonlySet<string>>();
  #keepsPins = false;
  /** The helper works in order anyway; a queue here keeps multi-request operations whole. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: KernelEngineOptions) {
    const { startHelper, onHelperExit } = options;
    this.#options = options;
    this.#session = new HelperSession(() => this.#startSession(), onHelperExit);
    this.#builder = new VariantBuilder(new HelperSession(startHelper, onHelperExit));
    this.#specialiser = new Specialiser((request) => this.#builder.build(request), options.clock);
  }

  /**
   * Keeps other agents off the pins until this engine is closed: what they do not know they would remove.
   * @throws SkeinError SKEIN_PIN_CONFLICT when another agent uses them
   */
  keepPins(): Promise<void> {
    return this.#enqueue(async () => {
      await lockPins(await this.#session.current());
      this.#keepsPins = true;
    });
  }

  probe(): Promise<EngineProbe> {
    return this.#enqueue(async () => {
      const helper = await this.#session.current();
      const { features } = await helper.request('probe', {});
      return {
        kernelRelease: helper.hello.kernelRelease,
        features: features.map(({ name, availability, detail }) => ({
          name,
          availability: availabilityFromWire(name, availability),
          detail,
        })),
      };
    });
  }

  load(spec: UnitSpec): Promise<UnitStatus> {
    return this.#alone(spec.name, async () => {
      const helper = await this.#session.current();
      const unit = await KernelUnit.load(helper, readUnit(spec), this.#options.limits);
      await this.#replace(unit);
      return unit.observe();
    });
  }

  adopt(spec: UnitSpec): Promise<UnitStatus | undefined> {
    return this.#enqueue(async () => {
      const helper = await this.#session.current();
      const unit = await KernelUnit.adopt(helper, readUnit(spec), this.#options.limits);
      if (unit === undefined) return undefined;
      await this.#replace(unit);
      await removeOthers(unit);
      await unit.upgrade();
      const status = await unit.observe();
      await this.#wantVariants(unit);
      return status;
    });
  }

  attach(name: string): Promise<UnitStatus> {
    return this.#enqueue(async () => {
      const unit = await this.#unit(name);
      try {
        await attachUnit(unit);
        await unit.upgrade();
      } catch (thrown) {
        if (!unit.hasHooks) {
          await unit.discard();
          this.#units.delete(name);
        }
        throw thrown;
      }
      const status = await unit.observe();
      await this.#wantVariants(unit);
      return status;
    });
  }

  flip(name: string, changes: ReadonlyMap<string, boolean>): Promise<FlipReport> {
    return this.#enqueue(() =>
      this.#withUnit(name, async (unit) => {
        const report = await flipUnit(unit, changes);
        await this.#wantVariants(unit);
        return report;
      }),
    );
  }

  observe(name: string): Promise<UnitStatus> {
    return this.#enqueue(() => this.#withUnit(name, (unit) => unit.observe()));
  }

  sites(name: string): Promise<readonly SiteStatus[]> {
    return this.#enqueue(() => this.#withUnit(name, unitSites));
  }

  readCounters(
    name: string,
    map: string,
    places: readonly CounterPlace[],
  ): Promise<readonly bigint[]> {
    return this.#enqueue(() => this.#withUnit(name, (unit) => unit.counters.read(map, places)));
  }

  expect(name: string, keys: ReadonlySet<string>): void {
    const before = this.#expected.get(name) ?? new Set();
    this.#expected.set(name, keys);
    const isSame = keys.size === before.size && [...keys].every((key) => before.has(key));
    if (isSame || !this.#units.has(name)) return;
    // A hint: what keeps it from being taken is told by the next call that needs the unit.
    this.#enqueue(() => this.#withUnit(name, (unit) => this.#wantVariants(unit))).catch(() => {});
  }

  unload(name: string): Promise<void> {
    return this.#alone(name, async () => {
      const helper = await this.#session.current();
      const unit = this.#units.get(name);
      // Open handles would keep links without a detach of their own attached.
      if (unit?.helper === helper) await unit.close();
      for (const entry of await listDirectory(helper, name)) {
        if (isHook(entry)) await removeHook(helper, `${name}/${entry}`);
      }
      await removeDirectory(helper, name);
      this.#units.delete(name);
      this.#expected.delete(name);
    });
  }

  leftovers(): Promise<readonly string[]> {
    return this.#enqueue(async () => listUnits(await this.#session.current()));
  }

  async close(): Promise<void> {
    await this.#specialiser.close();
    await this.#builder.close();
    await this.#enqueue(() => this.#session.close());
  }

  /** Asks for the variants that the unit's programs lack now or may need next. */
  async #wantVariants(unit: KernelUnit): Promise<void> {
    if (!unit.hasHooks) return;
    const { name } = unit.unit.spec;
    const values = await unit.keys();
    for (const program of unit.programs) {
      const [current, ...next] = program.missing(values, this.#expected.get(name) ?? new Set());
      const job = (vector: KeyVector) => this.#job(unit, program, vector);
      this.#specialiser.want(name, program.name, current && job(current), next.map(job));
    }
  }

  #job(unit: KernelUnit, program: KernelProgram, vector: KeyVector): SpecialiserJob {
    const { name } = unit.unit.spec;
    const vectorName = program.vectorName(vector);
    const report = (result: Specialisation['result'], durationNs: bigint) =>
      this.#options.onSpecialised({ unit: name, program: program.name, result, durationNs });
    return {
      unit: name,
      request: {
        unit: unit.unit,
        version: unit.version.directory,
        program: program.name,
        vector,
        pin: program.pinOf(vectorName),
      },
      isNeeded: () => !this.#units.get(name)?.holds(program.name, vectorName),
      built: async (load, durationNs) => {
        const inForce = await this.#enqueue(() =>
          this.#withUnit(name, (current) => current.adoptVariant(program.name, vectorName, load)),
        );
        report(inForce ? 'in_force' : 'prepared', durationNs);
      },
      failed: (error, durationNs) => {
        this.#units.get(name)?.blame(program.name, vectorName, error.line);
        report('failed', durationNs);
      },
    };
  }

  /** Once more with a new helper when the old one died under it: reads and key writes bear repetition. */
  async #withUnit<T>(name: string, work: (unit: KernelUnit) => Promise<T>): Promise<T> {
    const unit = await this.#unit(name);
    try {
      return await work(unit);
    } catch (thrown) {
      if (!(thrown instanceof SkeinError && thrown.code === 'SKEIN_HELPER_DIED')) throw thrown;
      await unit.helper.exited;
      return work(await this.#unit(name));
    }
  }

  /** Its handles go with the unit that it takes the place of; that one's pins stay. */
  async #replace(unit: KernelUnit): Promise<void> {
    const { name } = unit.unit.spec;
    const old = this.#units.get(name);
    this.#units.set(name, unit);
    if (old?.helper === unit.helper) await old.close();
  }

  /** The unit, by way of the helper process that runs now. */
  async #unit(name: string): Promise<KernelUnit> {
    const unit = this.#units.get(name);
    if (unit === undefined) {
      throw new SkeinError('SKEIN_INTERNAL', `unit ${name} is not loaded`);
    }
    const helper = await this.#session.current();
    if (unit.helper === helper) return unit;
    const reopened = await KernelUnit.reopen(
      helper,
      unit.unit,
      unit.version.directory,
      this.#options.limits,
    );
    if (reopened === undefined) {
      throw new SkeinError(
        'SKEIN_PIN_CONFLICT',
        `unit ${name}: ${unit.version.directory} is gone from bpffs`,
      );
    }
    this.#units.set(name, reopened);
    return reopened;
  }

  async #startSession(): Promise<Helper> {
    const helper = await this.#options.startHelper();
    if (!this.#keepsPins) return helper;
    try {
      await lockPins(helper);
      return helper;
    } catch (thrown) {
      await helper.close();
      throw thrown;
    }
  }

  /** In the queue, while no variant of the unit is being made: it would be pinned where pins are removed. */
  #alone<T>(name: string, work: () => Promise<T>): Promise<T> {
    return this.#specialiser.without(name, () => this.#enqueue(work));
  }

  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => undefined);
    return done;
  }
}

function availabilityFromWire(
  feature: string,
  availability: Availability,
): ProbedFeature['availability'] {
  switch (availability) {
    case Availability.YES:
      return 'yes';
    case Availability.NO:
      return 'no';
    case Availability.INCONCLUSIVE:
      return 'inconclusive';
    default:
      throw new SkeinError('SKEIN_HELPER_PROTOCOL', `probe of ${feature}: unknown answer`);
  }
}

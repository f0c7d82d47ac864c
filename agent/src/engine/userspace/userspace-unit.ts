import { createHash } from 'node:crypto';
import { SkeinError } from '#common/errors.ts';
import type { CounterPlace, FlipReport, ProgramStatus, SiteStatus, UnitStatus } from '../engine.ts';
import { siteIdentity } from '../site-identity.ts';
import type { PreparedProgram } from './prepare.ts';
import type { PreparedUnit } from './prepared-unit.ts';
import { type LoadedProgram, LoadedUnit } from './runtime/loaded-unit.ts';
import { isGone, type RuntimeSession } from './runtime/runtime-session.ts';

/** A unit in every runtime that has one of its hooks: now, and later. */
export class UserspaceUnit {
  readonly prepared: PreparedUnit;
  readonly #loads = new Map<RuntimeSession, LoadedUnit>();
  /** What a runtime is given that comes later. */
  readonly #values: Map<string, boolean>;
  /** Keys whose value was set, or read from a runtime; the others are as the object declares them. */
  readonly #known = new Set<string>();
  #isInForce = false;

  constructor(prepared: PreparedUnit) {
    this.prepared = prepared;
    this.#values = new Map(prepared.object.keys.map(({ name, declared }) => [name, declared]));
  }

  get name(): string {
    return this.prepared.spec.name;
  }

  /** Takes over what a runtime runs of exactly this unit. False when it runs nothing of it, or not all. */
  async adopt(session: RuntimeSession): Promise<boolean> {
    const adopted = LoadedUnit.adopt(session, this.prepared);
    if (adopted === undefined) return false;
    for (const [key, value] of await adopted.readKeys()) {
      if (this.#known.has(key)) continue;
      this.#known.add(key);
      this.#values.set(key, value);
    }
    this.#loads.set(session, adopted);
    this.#isInForce = true;
    return true;
  }

  /** Makes the unit's code and maps in a runtime that has one of its hooks. */
  async load(session: RuntimeSession): Promise<void> {
    const loaded = await LoadedUnit.load(session, this.prepared);
    if (loaded === undefined) return;
    this.#loads.set(session, loaded);
    await loaded.set(this.#values);
  }

  /** A runtime connected after the unit was loaded: it gets what the others have. */
  async join(session: RuntimeSession): Promise<void> {
    if (await this.adopt(session)) await this.#loads.get(session)?.set(this.#values);
    else await this.load(session);
    if (this.#isInForce) await this.#loads.get(session)?.install();
  }

  /** The connection ended. What it runs, it runs on. */
  leave(session: RuntimeSession): void {
    this.#loads.delete(session);
  }

  async attach(): Promise<void> {
    this.#isInForce = true;
    await this.#everywhere((loaded) => loaded.install());
  }

  /** Lets go of what is not in force. */
  async discard(): Promise<void> {
    await this.#everywhere((loaded) => loaded.session.close(loaded.handles));
    this.#loads.clear();
  }

  async flip(changes: ReadonlyMap<string, boolean>): Promise<FlipReport> {
    for (const key of changes.keys()) this.#requireKey(key);
    let pokeNs = 0n;
    await this.#everywhere(async (loaded) => {
      pokeNs += await loaded.set(changes);
      const found = await loaded.readKeys();
      for (const [key, value] of changes) {
        if (found.get(key) !== value) throw this.#mismatch(loaded, key, value);
      }
    });
    for (const [key, value] of changes) {
      this.#values.set(key, value);
      this.#known.add(key);
    }
    return { keys: new Map(changes), tier: 'patched', pokeNs };
  }

  async observe(): Promise<UnitStatus> {
    const found: ReadonlyMap<string, boolean>[] = [];
    await this.#everywhere(async (loaded) => {
      await loaded.session.refresh();
      found.push(await loaded.readKeys());
    });
    const [first = this.#values, ...others] = found;
    const agreed = [...first].filter(([key, on]) => others.every((other) => other.get(key) === on));
    const programs = this.prepared.programs.map(({ prepared, hook }) =>
      this.#programStatus(prepared, hook),
    );
    return {
      unit: this.name,
      objectDigest: this.prepared.digest,
      attached: programs.every(({ attached }) => attached),
      keys: new Map(agreed),
      programs,
    };
  }

  async sites(): Promise<readonly SiteStatus[]> {
    const statuses: SiteStatus[] = [];
    for (const { prepared } of this.prepared.programs) {
      const [found] = this.#loadsOf(prepared);
      const values = found && (await found.loaded.readSites(found.program));
      for (const [index, { site }] of prepared.compiled.sites.entries()) {
        const place = found?.program.sites[index];
        const address = found?.program.address;
        statuses.push({
          program: prepared.name,
          ...siteIdentity(this.prepared.object, site.branch),
          on: values?.[index] ?? this.#values.get(site.branch.key) === true,
          state: 'branch',
          translatedOffset: site.instruction,
          jitedOffset: place?.inFunction,
          address: place && address !== undefined ? address + BigInt(place.offset) : undefined,
        });
      }
    }
    return statuses;
  }

  /** Of all runtimes together: those of one that ends are gone. */
  async readCounters(map: string, places: readonly CounterPlace[]): Promise<readonly bigint[]> {
    const sums = places.map(() => 0n);
    await this.#everywhere(async (loaded) => {
      const read = await loaded.readCounters(map, places);
      for (const [index, value] of read.entries()) sums[index] = (sums[index] ?? 0n) + value;
    });
    return sums;
  }

  /** Runtimes that end meanwhile are passed over. */
  async #everywhere(work: (loaded: LoadedUnit) => Promise<void>): Promise<void> {
    for (const [session, loaded] of [...this.#loads]) {
      try {
        await work(loaded);
      } catch (thrown) {
        if (!isGone(thrown)) throw thrown;
        this.leave(session);
      }
    }
  }

  #loadsOf(prepared: PreparedProgram) {
    return [...this.#loads.values()].flatMap((loaded) => {
      const program = loaded.programs.find((each) => each.prepared === prepared);
      return program === undefined ? [] : [{ loaded, program }];
    });
  }

  #programStatus(prepared: PreparedProgram, hook: string): ProgramStatus {
    const loads = this.#loadsOf(prepared);
    const labels = loads.map(({ loaded }) => loaded.session.label);
    const installed = ({ loaded, program }: { loaded: LoadedUnit; program: LoadedProgram }) =>
      loaded.isInstalled(program);
    const { sites, code } = prepared.compiled;
    return {
      program: prepared.name,
      type: 'userspace',
      attachPoint: [
        'userspace',
        hook,
        ...(labels.length > 0 ? ['in', labels.join(', ')] : []),
      ].join(' '),
      attached: loads.length > 0 && loads.every(installed),
      tier: 'patched',
      programId: this.#programId(prepared),
      sites: sites.length,
      variants: 1,
      variantBytes: code.length,
      bytesSaved: 0,
      tierReason: '',
      statistics: prepared.statistics,
    };
  }

  /** There is no kernel to number programs: the same for the same program of the same object, and never 0. */
  #programId({ name }: PreparedProgram): number {
    const { spec, digest } = this.prepared;
    const hash = createHash('sha256').update(`${spec.name}/${digest}/${name}`).digest();
    return (hash.readUInt32LE() >>> 1) + 1;
  }

  #requireKey(key: string): void {
    if (this.#values.has(key)) return;
    throw new SkeinError(
      'SKEIN_UNKNOWN_STATIC_KEY',
      `unit ${this.name} has no static key "${key}"; it has: ${[...this.#values.keys()].join(', ')}`,
    );
  }

  #mismatch({ session }: LoadedUnit, key: string, wrote: boolean): SkeinError {
    return new SkeinError(
      'SKEIN_READBACK_MISMATCH',
      `unit ${this.name} in ${session.label}, static key ${key}: wrote ${wrote}, read something else`,
    );
  }
}

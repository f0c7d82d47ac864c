import { SkeinError } from '#common/errors.ts';
import { HookKind } from '#proto/gen/skein/v1/helper.ts';
import type { StaticKey } from '../../../object/spec.ts';
import type { CounterPlace } from '../../engine.ts';
import type { CompiledSite } from '../jit/compile.ts';
import { SITE_BYTES } from '../jit/layout.ts';
import { bytesAt, Machine, type Poke } from '../machine.ts';
import type { LinkedSite } from '../object/link.ts';
import type { PreparedProgram } from '../prepare.ts';
import type { PreparedUnit } from '../prepared-unit.ts';
import { type BlobSite, encodeBlob, type InstallBlob } from './install-blob.ts';
import { makeMap, readCounters } from './runtime-maps.ts';
import { fits, handlesOf, type RuntimeSession, type SessionHook } from './runtime-session.ts';
import { makeSiteSets } from './site-sets.ts';

/** A program of the unit in a runtime. */
export interface LoadedProgram {
  readonly prepared: PreparedProgram;
  readonly hook: string;
  /** Handle. */
  readonly code: number;
  readonly address: bigint;
  /** Bytes of code. */
  readonly length: number;
  readonly sites: readonly LoadedSite[];
}

/** Where a site is in the code that was mapped, be it by an earlier agent with another JIT. */
export interface LoadedSite extends CompiledSite<LinkedSite>, BlobSite {}

/** How a program's sites are: undefined for bytes that are neither the nop nor the jump. */
export type SiteValues = readonly (boolean | undefined)[];

/** What programs of one version share in a runtime. */
type Shared = Pick<InstallBlob, 'maps' | 'siteSets'>;

/** The programs of a unit, and its maps, in one runtime. */
export class LoadedUnit {
  readonly unit: PreparedUnit;
  readonly session: RuntimeSession;
  /** Those whose hooks the runtime has. */
  readonly programs: readonly LoadedProgram[];
  readonly #maps: ReadonlyMap<string, number>;
  readonly #siteSets: ReadonlyMap<string, number>;
  readonly #machine: Machine;

  private constructor(
    unit: PreparedUnit,
    session: RuntimeSession,
    programs: readonly LoadedProgram[],
    { maps, siteSets }: Shared,
  ) {
    this.unit = unit;
    this.session = session;
    this.programs = programs;
    this.#maps = maps;
    this.#siteSets = siteSets;
    this.#machine = new Machine(session.connection);
  }

  /** Makes maps and code; installs nothing. Undefined when the runtime has none of the unit's hooks. */
  static async load(session: RuntimeSession, unit: PreparedUnit): Promise<LoadedUnit | undefined> {
    const wanted = offered(session, unit);
    if (wanted.length === 0) return undefined;
    const made: number[] = [];
    try {
      const maps = new Map<string, number>();
      for (const definition of unit.maps) {
        const handle = await makeMap(session.connection, definition);
        made.push(handle);
        maps.set(definition.name, handle);
      }
      const machine = new Machine(session.connection);
      const handles = unit.maps.map(({ name }) => maps.get(name) ?? 0);
      const programs: LoadedProgram[] = [];
      for (const { prepared, hook } of wanted) {
        const { compiled } = prepared;
        const { code, address } = await machine.map(compiled, handles);
        made.push(code);
        const sites = compiled.sites.map((each) => ({
          ...each,
          inFunction: each.offset - (compiled.functions.get(each.site.functionStart) ?? 0),
        }));
        const length = compiled.code.length;
        programs.push({ prepared, hook: hook.name, code, address, length, sites });
      }
      const keys = unit.object.keys.map(({ name }) => name);
      const siteSets = await makeSiteSets(session.connection, keys, programs, made);
      return new LoadedUnit(unit, session, programs, { maps, siteSets });
    } catch (thrown) {
      await session.close(made).catch(() => undefined);
      throw thrown;
    }
  }

  /** What an earlier agent, or an earlier connection, installed of exactly this unit. Undefined unless all of it. */
  static adopt(session: RuntimeSession, unit: PreparedUnit): LoadedUnit | undefined {
    const programs: LoadedProgram[] = [];
    let shared: Shared | undefined;
    for (const { prepared, hook } of offered(session, unit)) {
      const { installed } = hook;
      const blob = installed?.blob;
      if (installed === undefined || blob === undefined || !isOf(blob, unit, prepared))
        return undefined;
      shared ??= blob;
      if (!shares(unit, shared, blob)) return undefined;
      const sites = prepared.compiled.sites.flatMap(({ site }, index) => {
        const place = blob.sites[index];
        return place === undefined ? [] : [{ site, ...place }];
      });
      const { address, length } = blob;
      programs.push({ prepared, hook: hook.name, code: installed.code, address, length, sites });
    }
    return shared && new LoadedUnit(unit, session, programs, shared);
  }

  /** Every handle of it. */
  get handles(): readonly number[] {
    return [...this.#shared, ...this.programs.map(({ code }) => code)];
  }

  /** What lives as long as any of the programs is installed. */
  get #shared(): readonly number[] {
    return [...this.#maps.values(), ...this.#siteSets.values()];
  }

  isInstalled({ hook, code }: LoadedProgram): boolean {
    return this.session.hooks.get(hook)?.installed?.code === code;
  }

  /** Puts every program in force at its hook. What the unit ran before, here or at other hooks, goes. */
  async install(): Promise<void> {
    const { connection } = this.session;
    const before = [...this.session.hooks.values()];
    for (const program of this.programs) {
      if (this.isInstalled(program)) continue;
      await connection.request('installProgram', {
        hook: program.hook,
        kind: program.prepared.kind.type === 'xdp' ? HookKind.XDP : HookKind.MEMORY,
        code: program.code,
        entry: 0,
        label: `${this.unit.spec.name}/${program.prepared.name}`.slice(0, 128),
        blob: encodeBlob(this.#blobOf(program)),
        uses: [...this.#shared],
      });
    }
    const own = new Set(this.programs.map(({ hook }) => hook));
    for (const { name, installed } of before) {
      if (installed?.blob?.unit === this.unit.spec.name && !own.has(name))
        await connection.request('removeProgram', { hook: name });
    }
    await this.session.refresh();
    const old = before.flatMap(({ installed }) => handlesOf(installed));
    await this.session.close(old.filter((handle) => !this.handles.includes(handle)));
  }

  /** Changes sites and variables that differ. Resolves to the nanoseconds in the runtime, around the pokes alone. */
  async set(changes: ReadonlyMap<string, boolean>): Promise<bigint> {
    const pokes: Poke[] = [];
    for (const program of this.programs) {
      const values = await this.readSites(program);
      for (const [index, at] of program.sites.entries()) {
        const to = changes.get(at.site.branch.key);
        const from = values[index];
        if (to === undefined || from === to) continue;
        if (from === undefined) throw this.#strange(program, at);
        pokes.push({ code: program, at, from, to });
      }
    }
    const poked = pokes.length === 0 ? 0n : await this.#machine.poke(pokes, 'store');
    return poked + (await this.#writeVariables(changes));
  }

  /** Static key → value, as sites and variable agree on it; without those on which they do not. */
  async readKeys(): Promise<ReadonlyMap<string, boolean>> {
    const { keys } = this.unit.object;
    const variables = keys.map((key) => this.#variable(key, 0));
    const { values } = await this.session.connection.request('readVariables', { variables });
    const found = new Map(keys.map(({ name }, index) => [name, values[index] !== 0]));
    for (const program of this.programs) {
      const sites = await this.readSites(program);
      for (const [index, { site }] of program.sites.entries()) {
        const { key } = site.branch;
        if (found.get(key) !== sites[index]) found.delete(key);
      }
    }
    return found;
  }

  /** By site, the value of the key that the code acts on. */
  async readSites({ code, length, sites }: LoadedProgram): Promise<SiteValues> {
    const request = { code, offset: 0, length };
    const bytes = (await this.session.connection.request('readBytes', request)).code;
    return sites.map((at) => {
      const word = bytes.subarray(at.offset, at.offset + SITE_BYTES);
      const found = word.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
      return [false, true].find((on) => bytesAt(at, on) === found);
    });
  }

  async readCounters(map: string, places: readonly CounterPlace[]): Promise<readonly bigint[]> {
    const handle = this.#maps.get(map);
    if (handle === undefined)
      throw new SkeinError('SKEIN_INTERNAL', `unit ${this.unit.spec.name} has no map ${map}`);
    return await readCounters(this.session.connection, handle, places);
  }

  async #writeVariables(changes: ReadonlyMap<string, boolean>): Promise<bigint> {
    const variables = this.unit.object.keys.flatMap((key) => {
      const value = changes.get(key.name);
      return value === undefined ? [] : [this.#variable(key, Number(value))];
    });
    if (variables.length === 0) return 0n;
    const written = await this.session.connection.request('writeVariables', { variables });
    const wrong = variables.find(({ value }, index) => written.values[index] !== value);
    if (wrong === undefined) return written.pokeNs;
    throw new SkeinError(
      'SKEIN_READBACK_MISMATCH',
      `unit ${this.unit.spec.name} in ${this.session.label}, byte ${wrong.offset} of map ${wrong.map}: wrote ${wrong.value}, read something else`,
    );
  }

  #variable({ section, offset, name }: StaticKey, value: number) {
    const map = this.#maps.get(section);
    if (map === undefined)
      throw new SkeinError('SKEIN_INTERNAL', `static key ${name}: no map for ${section}`);
    return { map, offset, value };
  }

  #blobOf({ prepared, length, address, sites }: LoadedProgram): InstallBlob {
    const { spec, digest } = this.unit;
    const shared: Shared = { maps: this.#maps, siteSets: this.#siteSets };
    return { unit: spec.name, digest, program: prepared.name, length, address, sites, ...shared };
  }

  #strange({ prepared }: LoadedProgram, { offset, site }: LoadedSite): SkeinError {
    return new SkeinError(
      'SKEIN_READBACK_MISMATCH',
      `${prepared.name} in ${this.session.label}: neither nop nor jump at byte ${offset}, a site of ${site.branch.key}`,
    );
  }
}

interface Offered {
  readonly prepared: PreparedProgram;
  readonly hook: SessionHook;
}

function offered(session: RuntimeSession, { programs }: PreparedUnit): readonly Offered[] {
  return programs.flatMap(({ prepared, hook: name }) => {
    const hook = session.hooks.get(name);
    return hook !== undefined && fits(prepared.kind, hook) ? [{ prepared, hook }] : [];
  });
}

const shares = ({ maps, object }: PreparedUnit, one: Shared, other: Shared) =>
  maps.every(({ name }) => one.maps.get(name) === other.maps.get(name)) &&
  object.keys.every(({ name }) => one.siteSets.get(name) === other.siteSets.get(name));

const isOf = (
  blob: InstallBlob,
  { spec, digest }: PreparedUnit,
  { name, compiled }: PreparedProgram,
) =>
  blob.unit === spec.name &&
  blob.digest === digest &&
  blob.program === name &&
  blob.sites.length === compiled.sites.length;

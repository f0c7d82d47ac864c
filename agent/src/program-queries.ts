import { type Assembly, type DumpPage, type DumpQuery, pageOfAssembly } from '#common/assembly.ts';
import { SkeinError } from '#common/errors.ts';
import { pageOfSites, type SiteReport, type SitesPage, type SitesQuery } from '#common/site.ts';
import type { Engine, SiteStatus } from './engine/engine.ts';
import type { Reconciler } from './reconcile/reconciler.ts';

/** Writes a program of an object in assembly. Throws SkeinError for one that it cannot link. */
export type Disassemble = (
  object: Uint8Array,
  program: string,
  live: readonly SiteStatus[],
) => Assembly;

export interface ProgramQueriesPorts {
  readonly host: string;
  readonly engine: Pick<Engine, 'sites'>;
  readonly disassemble: Disassemble;
  /** Those that are not up have nothing to tell. */
  readonly units: Reconciler['units'];
}

/** What the host's programs consist of, read from the engine at each question. */
export class ProgramQueries {
  readonly #ports: ProgramQueriesPorts;

  constructor(ports: ProgramQueriesPorts) {
    this.#ports = ports;
  }

  /** Where the static branches are. */
  async sites(query: SitesQuery): Promise<SitesPage> {
    const all: SiteReport[] = [];
    for (const { status } of this.#ports.units) {
      if (status === undefined) continue;
      const { unit } = status;
      if (query.unit !== undefined && query.unit !== unit) continue;
      const sites = await this.#ports.engine.sites(unit);
      all.push(...sites.map((site) => ({ unit, ...site })));
    }
    return pageOfSites(all, query);
  }

  /**
   * A program as its object has it, whatever variant is in force, with what the engine reads of its sites.
   *
   * @throws SkeinError SKEIN_PROGRAM_NOT_FOUND; SKEIN_BAD_PROGRAM for one that only the kernel could link
   */
  async dump({ unit, program, offset }: DumpQuery): Promise<DumpPage> {
    const { host, engine, disassemble, units } = this.#ports;
    const found = units.find(({ unit: { spec }, status }) => {
      return spec.name === unit && status?.programs.some((each) => each.program === program);
    });
    if (found === undefined) {
      throw new SkeinError('SKEIN_PROGRAM_NOT_FOUND', `"${unit}/${program}" on host "${host}"`);
    }
    const sites = (await engine.sites(unit)).filter((site) => site.program === program);
    return pageOfAssembly(disassemble(found.unit.spec.object, program, sites), offset);
  }
}

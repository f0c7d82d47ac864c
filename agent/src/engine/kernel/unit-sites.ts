import { sitesOfProgram } from '../../object/call-graph.ts';
import type { ObjectSpec, StaticBranch } from '../../object/spec.ts';
import type { SiteStatus } from '../engine.ts';
import { siteIdentity } from '../site-identity.ts';
import type { KernelUnit } from './kernel-unit.ts';
import { readKeys } from './key-variables.ts';
import { SitePlaces } from './site-addresses.ts';
import { siteMarks } from './site-marks.ts';

/** Every site of the unit's programs, in the variants that their slots hold now. */
export async function unitSites(unit: KernelUnit): Promise<readonly SiteStatus[]> {
  const { helper, version } = unit;
  const { object } = unit.unit;
  const variables = await readKeys(helper, version, object.keys);
  const marks = siteMarks(unit.unit);
  const statuses: SiteStatus[] = [];
  for (const program of unit.programs) {
    const { variant, vector } = (await program.inForce(helper)) ?? { variant: program.dynamic };
    const places =
      vector === undefined
        ? new SitePlaces(marks, await helper.request('readCode', { program: variant.handle }))
        : undefined;
    for (const site of sitesOfProgram(object, program.name)) {
      const on = (vector ?? variables).get(site.key) === true;
      statuses.push(siteStatus(object, program.name, site, on, places));
    }
  }
  return statuses;
}

/** @param places absent for a specialised variant, which has no sites */
function siteStatus(
  object: ObjectSpec,
  program: string,
  site: StaticBranch,
  on: boolean,
  places: SitePlaces | undefined,
): SiteStatus {
  const found = places?.find(site);
  const place = typeof found === 'object' ? found : undefined;
  return {
    program,
    ...siteIdentity(object, site),
    on,
    state: places === undefined ? 'removed' : found === 'unreachable' ? 'unreachable' : 'branch',
    translatedOffset: place?.translated,
    jitedOffset: place?.native?.offset,
    address: place?.native?.address,
  };
}

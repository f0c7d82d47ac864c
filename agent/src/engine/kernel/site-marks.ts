import type { ObjectSpec, StaticBranch } from '../../object/spec.ts';
import { lift } from '../../program/lift.ts';
import type { LiftedObject } from '../../program/lifted.ts';
import { lowerDynamic } from '../../program/lower-dynamic.ts';
import { type LineMark, markSites } from '../../program/mark-sites.ts';
import type { ReadUnit } from './read-unit.ts';

/** The object of the dynamic tier, and how its sites are found again in what the kernel made of it. */
export interface MarkedUnit {
  /** To be lowered and loaded. */
  readonly lifted: LiftedObject;
  readonly marks: SiteMarks;
}

/** By the sites of the object as readObject() gave them. Without debug information a site has none. */
export type SiteMarks = ReadonlyMap<StaticBranch, SiteMark>;

export interface SiteMark {
  /** BTF_KIND_FUNC of the site's function. */
  readonly typeId: number;
  /** Different from all other line records of that function. */
  readonly line: LineMark;
}

/**
 * The same for the same bytes: after a restart, marks are found anew from the object.
 * @throws SkeinError SKEIN_BAD_OBJECT, SKEIN_CANNOT_LOWER
 */
export function markUnit({ spec, object }: Pick<ReadUnit, 'spec' | 'object'>): MarkedUnit {
  const marked = markSites(lowerDynamic(lift(spec.object, object)));
  const marks = new Map<StaticBranch, SiteMark>();
  for (const [id, { typeId, marks: lines }] of marked.functions) {
    sitesOfFunction(object, id).forEach((site, index) => {
      const line = lines[index];
      if (line !== undefined) marks.set(site, { typeId, line });
    });
  }
  known.set(object, marks);
  return { lifted: marked.lifted, marks };
}

/** Kept for as long as the object is: finding them means taking it apart. */
const known = new WeakMap<ObjectSpec, SiteMarks>();

export const siteMarks = (unit: Pick<ReadUnit, 'spec' | 'object'>): SiteMarks =>
  known.get(unit.object) ?? markUnit(unit).marks;

/** In the order of the code, which no lowering changes. A function's id is its place in the object's list. */
function sitesOfFunction({ functions, keys }: ObjectSpec, id: number): readonly StaticBranch[] {
  const fn = functions[id];
  if (fn === undefined) return [];
  return keys
    .flatMap((key) => key.sites)
    .filter(
      ({ section, instruction }) =>
        section === fn.section &&
        instruction >= fn.instruction &&
        instruction < fn.instruction + fn.length,
    )
    .sort((a, b) => a.instruction - b.instruction);
}

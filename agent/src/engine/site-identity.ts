import type { ObjectSpec, StaticBranch } from '../object/spec.ts';
import type { SiteStatus } from './engine.ts';

/** What the object says of a site: the same in every engine, whatever became of it once loaded. */
export function siteIdentity(
  { functions }: ObjectSpec,
  site: StaticBranch,
): Pick<
  SiteStatus,
  | 'key'
  | 'function'
  | 'section'
  | 'sectionOffset'
  | 'functionOffset'
  | 'source'
  | 'encoding'
  | 'inverse'
> {
  const fn = functions.find(
    ({ name, section }) => name === site.function && section === site.section,
  );
  return {
    key: site.key,
    function: site.function,
    section: site.section,
    sectionOffset: site.instruction,
    functionOffset: site.instruction - (fn?.instruction ?? 0),
    source: site.source,
    encoding: site.encoding,
    inverse: site.inverse,
  };
}

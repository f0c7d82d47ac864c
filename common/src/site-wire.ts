import * as wire from '#proto/gen/skein/v1/observed.ts';
import { isErrorCode, SkeinError } from './errors.ts';
import type { SiteReport, SitesPage, SitesQuery } from './site.ts';
import { type EnumTable, enumFromWire, enumToWire } from './wire-enum.ts';

/** Sites, and questions for them, between their domain types and their wire types. */
export function siteToWire({ source, ...site }: SiteReport): wire.Site {
  return {
    ...site,
    file: source?.file ?? '',
    line: source?.line ?? 0,
    encoding: enumToWire(ENCODINGS, site.encoding),
    state: enumToWire(STATES, site.state),
  };
}

/** @throws SkeinError SKEIN_STORE_CORRUPT for an unknown enum value */
export function siteFromWire({ file, line, ...site }: wire.Site): SiteReport {
  return {
    ...site,
    source: file === '' ? undefined : { file, line },
    encoding: enumFromWire(ENCODINGS, site.encoding, 'site.encoding'),
    state: enumFromWire(STATES, site.state, 'site.state'),
    translatedOffset: site.translatedOffset,
    jitedOffset: site.jitedOffset,
    address: site.address,
  };
}

export function queryToWire({ unit, program, key, offset }: SitesQuery): wire.SitesRequest {
  return { unit: unit ?? '', program: program ?? '', key: key ?? '', offset };
}

export function queryFromWire({ unit, program, key, offset }: wire.SitesRequest): SitesQuery {
  return {
    ...(unit === '' ? {} : { unit }),
    ...(program === '' ? {} : { program }),
    ...(key === '' ? {} : { key }),
    offset,
  };
}

export function replyToWire(reply: SitesPage | SkeinError): wire.SitesReply {
  if (reply instanceof SkeinError) {
    return { sites: [], total: 0, errorCode: reply.code, errorMessage: reply.message };
  }
  const { sites, total } = reply;
  return { sites: sites.map(siteToWire), total, errorCode: '', errorMessage: '' };
}

/** @throws SkeinError what the agent threw; SKEIN_STORE_CORRUPT for what does not fit */
export function replyFromWire(reply: wire.SitesReply): SitesPage {
  const { errorCode, errorMessage, sites, total } = reply;
  if (errorCode === '') return { sites: sites.map(siteFromWire), total };
  throw new SkeinError(isErrorCode(errorCode) ? errorCode : 'SKEIN_INTERNAL', errorMessage);
}

const ENCODINGS: EnumTable<SiteReport['encoding'], wire.Encoding> = {
  default: wire.Encoding.DEFAULT,
  section: wire.Encoding.SECTION,
  'self-compare': wire.Encoding.SELF_COMPARE,
  'selectable-ja': wire.Encoding.SELECTABLE_JA,
};

const STATES: EnumTable<SiteReport['state'], wire.SiteState> = {
  branch: wire.SiteState.BRANCH,
  removed: wire.SiteState.REMOVED,
  unreachable: wire.SiteState.UNREACHABLE,
};

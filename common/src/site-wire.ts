import * as wire from '#proto/gen/skein/v1/observed.ts';
import type { AssemblyInstruction, AssemblySite, DumpPage, DumpQuery } from './assembly.ts';
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
  return { unit: unit ?? '', program: program ?? '', key: key ?? '', offset, instructions: false };
}

export function queryFromWire({
  unit,
  program,
  key,
  offset,
}: Omit<wire.SitesRequest, 'instructions'>): SitesQuery {
  return {
    ...(unit === '' ? {} : { unit }),
    ...(program === '' ? {} : { program }),
    ...(key === '' ? {} : { key }),
    offset,
  };
}

export function replyToWire(reply: SitesPage | SkeinError): wire.SitesReply {
  if (reply instanceof SkeinError) {
    return { ...EMPTY, errorCode: reply.code, errorMessage: reply.message };
  }
  const { sites, total } = reply;
  return { ...EMPTY, sites: sites.map(siteToWire), total };
}

/** @throws SkeinError what the agent threw; SKEIN_STORE_CORRUPT for what does not fit */
export function replyFromWire(reply: wire.SitesReply): SitesPage {
  refuseFailure(reply);
  return { sites: reply.sites.map(siteFromWire), total: reply.total };
}

export function dumpQueryToWire({ unit, program, offset }: DumpQuery): wire.SitesRequest {
  return { unit, program, key: '', offset, instructions: true };
}

export function dumpReplyToWire({ section, instructions, total }: DumpPage): wire.SitesReply {
  return { ...EMPTY, section, instructions: instructions.map(instructionToWire), total };
}

/** @throws SkeinError as replyFromWire() */
export function dumpReplyFromWire(reply: wire.SitesReply): DumpPage {
  refuseFailure(reply);
  const { section, instructions, total } = reply;
  return { section, instructions: instructions.map(instructionFromWire), total };
}

export function instructionToWire({
  instruction: slot,
  source,
  site,
  ...rest
}: AssemblyInstruction): wire.Instruction {
  return {
    ...rest,
    slot,
    file: source?.file ?? '',
    line: source?.line ?? 0,
    site: site && markToWire(site),
  };
}

/** @throws SkeinError SKEIN_STORE_CORRUPT for an unknown enum value */
export function instructionFromWire({
  slot: instruction,
  file,
  line,
  site,
  ...rest
}: wire.Instruction): AssemblyInstruction {
  return {
    ...rest,
    instruction,
    source: file === '' ? undefined : { file, line },
    site: site && markFromWire(site),
  };
}

function markToWire({ live, ...site }: AssemblySite): wire.InstructionSite {
  return {
    ...site,
    encoding: enumToWire(ENCODINGS, site.encoding),
    on: live?.on ?? false,
    state: live === undefined ? wire.SiteState.UNSPECIFIED : enumToWire(STATES, live.state),
  };
}

function markFromWire({ on, state, ...site }: wire.InstructionSite): AssemblySite {
  const isLive = state !== wire.SiteState.UNSPECIFIED;
  return {
    ...site,
    encoding: enumFromWire(ENCODINGS, site.encoding, 'instruction.site.encoding'),
    live: isLive ? { on, state: enumFromWire(STATES, state, 'instruction.site.state') } : undefined,
  };
}

function refuseFailure({ errorCode, errorMessage }: wire.SitesReply): void {
  if (errorCode === '') return;
  throw new SkeinError(isErrorCode(errorCode) ? errorCode : 'SKEIN_INTERNAL', errorMessage);
}

const EMPTY: wire.SitesReply = {
  sites: [],
  total: 0,
  errorCode: '',
  errorMessage: '',
  instructions: [],
  section: '',
};

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

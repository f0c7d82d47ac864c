/** A static branch of a program on some host, as its agent read it back. */
export interface SiteReport {
  readonly unit: string;
  readonly program: string;
  /** Name of the static key. */
  readonly key: string;
  /** The function that it is in. */
  readonly function: string;
  /** The executable section of the object. */
  readonly section: string;
  /** Instruction slot of the jump in the object, counted from the start of the section. */
  readonly sectionOffset: number;
  /** The same, counted from the start of the function. */
  readonly functionOffset: number;
  /** Absent when the object was compiled without -g. */
  readonly source: { readonly file: string; readonly line: number } | undefined;
  readonly encoding: 'default' | 'section' | 'self-compare' | 'selectable-ja';
  /** "On" means fall through: the on side is laid out in line, as for a likely branch. */
  readonly inverse: boolean;
  /** The value of the key that the program acts on, read back. */
  readonly on: boolean;
  /**
   * - `branch`: an instruction that tests the key, or is patched;
   * - `removed`: the variant in force is specialised for the key's value, and nothing of the site is left;
   * - `unreachable`: the verifier removed it, with code that can never run.
   */
  readonly state: 'branch' | 'removed' | 'unreachable';
  /** Of a branch: instruction of the loaded program, from its start. Absent when the object has no line information. */
  readonly translatedOffset: number | undefined;
  /** Of a branch: bytes from the start of its function's native code. Absent as for `address`. */
  readonly jitedOffset: number | undefined;
  /** Of a branch: in kernel text. Absent also where the kernel keeps addresses to itself (kptr_restrict, CAP_SYSLOG). */
  readonly address: bigint | undefined;
}

/** Which sites of a host; an absent field lets any pass. */
export interface SitesQuery {
  readonly unit?: string;
  readonly program?: string;
  readonly key?: string;
  /** How many of those that match to pass over. */
  readonly offset: number;
}

export interface SitesPage {
  /** At most {@link SITES_PER_PAGE}. */
  readonly sites: readonly SiteReport[];
  /** All that match. */
  readonly total: number;
}

/** Keeps a reply far below the 1 MiB that NATS carries in one message. */
export const SITES_PER_PAGE = 1_000;

/** The page of all sites that a query asks for. */
export function pageOfSites(all: readonly SiteReport[], query: SitesQuery): SitesPage {
  const { unit, program, key, offset } = query;
  const matching = all.filter(
    (site) =>
      (unit === undefined || site.unit === unit) &&
      (program === undefined || site.program === program) &&
      (key === undefined || site.key === key),
  );
  return { sites: matching.slice(offset, offset + SITES_PER_PAGE), total: matching.length };
}

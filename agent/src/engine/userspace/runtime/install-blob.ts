import { z } from 'zod';
import { SkeinError } from '#common/errors.ts';

/**
 * What an agent leaves with an installed program, so that the next agent can take it over: handles mean the same as
 * long as the process lives.
 */
export interface InstallBlob {
  readonly unit: string;
  /** Lower-case hex SHA-256 of the object's bytes. */
  readonly digest: string;
  readonly program: string;
  /** Bytes of code. */
  readonly length: number;
  /** Where the code is executed. */
  readonly address: bigint;
  /** In the order of sitesOfProgram(). */
  readonly sites: readonly BlobSite[];
  /** Handle of each map of the unit. */
  readonly maps: ReadonlyMap<string, number>;
  /** Handle of the set of each static key's site addresses, see makeSiteSets(). */
  readonly siteSets: ReadonlyMap<string, number>;
}

export interface BlobSite {
  /** Of its 5 bytes in the code. */
  readonly offset: number;
  /** Where it goes when it is taken. */
  readonly target: number;
  /** From the start of its function's code. */
  readonly inFunction: number;
}

const count = z.number().int().min(0);

const schema = z.strictObject({
  version: z.literal(2),
  unit: z.string(),
  digest: z.string(),
  program: z.string(),
  length: count,
  address: z.string().regex(/^\d{1,20}$/),
  sites: z.array(z.tuple([count, count, count])),
  maps: z.record(z.string(), count),
  siteSets: z.record(z.string(), count),
});

/** As in the protocol. */
const MAX_BYTES = 1024 * 1024;

/** @throws SkeinError SKEIN_BAD_PROGRAM when there are more sites than a runtime can keep */
export function encodeBlob({ address, sites, maps, siteSets, ...rest }: InstallBlob): Uint8Array {
  const blob: z.input<typeof schema> = {
    version: 2,
    ...rest,
    address: String(address),
    sites: sites.map(({ offset, target, inFunction }) => [offset, target, inFunction]),
    maps: Object.fromEntries(maps),
    siteSets: Object.fromEntries(siteSets),
  };
  const bytes = new TextEncoder().encode(JSON.stringify(blob));
  if (bytes.length <= MAX_BYTES) return bytes;
  const many = `program ${rest.program} has ${sites.length} static branches`;
  throw new SkeinError('SKEIN_BAD_PROGRAM', `${many}: more than a runtime can keep`);
}

/** `undefined` for what no agent of this kind left. */
export function decodeBlob(bytes: Uint8Array): InstallBlob | undefined {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
  const { data } = schema.safeParse(json);
  if (data === undefined) return undefined;
  const { version: _, address, sites, maps, siteSets, ...rest } = data;
  return {
    ...rest,
    address: BigInt(address),
    sites: sites.map(([offset, target, inFunction]) => ({ offset, target, inFunction })),
    maps: new Map(Object.entries(maps)),
    siteSets: new Map(Object.entries(siteSets)),
  };
}

import { readObject } from '#agent/object/read-object.ts';
import { SkeinError } from '#common/errors.ts';
import type { Site } from '../../isa/sites.ts';
import { linkProgram } from '../../object/link.ts';
import { mapsOfObject } from '../../object/object-maps.ts';
import type { ContextType, VerifierInput } from '../input.ts';

/** A program of an object as the verifier takes it, or why it cannot. */
export interface ObjectProgram {
  readonly name: string;
  readonly input: VerifierInput | undefined;
  /** Its static branches, in whatever encoding. */
  readonly sites: readonly Site[];
  readonly unsupported: string;
}

const CONTEXTS: readonly (readonly [RegExp, ContextType])[] = [
  [/^xdp(\.frags)?(\/|$|_)/, 'xdp'],
  [/^(tc|classifier)(\/|$)/, 'tc'],
  [/^cgroup_skb(\/|$)/, 'cgroup-skb'],
  [/^socket/, 'socket-filter'],
  [/^raw_(tp|tracepoint)\//, 'raw-tracepoint'],
  [/^(tp|tracepoint)\//, 'tracepoint'],
];

/** The programs of an object, also of kinds that no runtime has. */
export function programsOfObject(bytes: Uint8Array): ObjectProgram[] {
  const spec = readObject(bytes);
  const license = spec.sections.find(({ name }) => name === 'license');
  const gplCompatible = new TextDecoder().decode(license?.bytes).startsWith('GPL');
  return spec.programs.map((program) => {
    const { name, section } = program;
    const [, type] = CONTEXTS.find(([pattern]) => pattern.test(section)) ?? [];
    if (type === undefined) return unsupported(name, `section ${section}`);
    try {
      const maps = mapsOfObject(spec);
      const { sites, ...linked } = linkProgram(spec, maps, program);
      const input = { ...linked, kind: { type }, maps, gplCompatible };
      return { name, input, sites, unsupported: '' };
    } catch (thrown) {
      if (thrown instanceof SkeinError && thrown.code === 'SKEIN_BAD_PROGRAM')
        return unsupported(name, thrown.message);
      throw thrown;
    }
  });
}

const unsupported = (name: string, why: string): ObjectProgram => ({
  name,
  input: undefined,
  sites: [],
  unsupported: why,
});

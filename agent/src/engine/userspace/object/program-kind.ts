import { SkeinError } from '#common/errors.ts';
import type { ProgramKind } from '../verifier/input.ts';

const XDP = /^xdp(\.frags)?(\/|$)/;
/** Bytes: the least and the most that the program is prepared for. */
const MEMORY = /^memory\/(\d{1,10})-(\d{1,10})$/;
/** As in libskein: HOOK_SIZE_MAX. */
const MAX_BYTES = 2 ** 30;

/**
 * What SEC() says of a program for hooks of runtimes: `xdp`, or `memory/1-512` for `int program(void *bytes, __u64
 * length)` with 1 to 512 bytes.
 *
 * @param who for messages: "program guard_xdp"
 * @throws SkeinError SKEIN_CONFIG for any other
 */
export function kindOfSection(who: string, section: string): RuntimeKind {
  if (XDP.test(section)) return { type: 'xdp' };
  const [, least, most] = MEMORY.exec(section) ?? [];
  const [minimum, maximum] = [Number(least), Number(most)];
  if (minimum >= 1 && minimum <= maximum && maximum <= MAX_BYTES)
    return { type: 'memory', minimum, maximum };
  throw new SkeinError(
    'SKEIN_CONFIG',
    `${who} is SEC("${section}"), which cannot be attached to a hook of a runtime`,
    { remedy: 'The userspace engine takes SEC("xdp") and SEC("memory/LEAST-MOST").' },
  );
}

export type RuntimeKind = ProgramKind & { readonly type: 'xdp' | 'memory' };

import type { RawInstruction } from '#agent/object/instructions.ts';
import { readObject } from '#agent/object/read-object.ts';
import type { ObjectSpec } from '#agent/object/spec.ts';
import { SkeinError } from '#common/errors.ts';
import type { VerifierStatistics } from '#common/observed.ts';
import { type Compiled, compile } from './jit/compile.ts';
import { type LinkedProgram, type LinkedSite, linkProgram } from './object/link.ts';
import { mapsOfObject, type ObjectMap } from './object/object-maps.ts';
import { kindOfSection, type RuntimeKind } from './object/program-kind.ts';
import { requireRuntimeHelpers, requireRuntimeObject } from './object/runtime-limits.ts';
import { verify } from './verifier/verify.ts';

/** A program that was verified and compiled, with its sites in the order of sitesOfProgram(). Plain data. */
export interface PreparedProgram {
  readonly name: string;
  readonly section: string;
  readonly kind: RuntimeKind;
  readonly compiled: Compiled<LinkedSite>;
  readonly statistics: VerifierStatistics;
}

export interface PreparedObject {
  /** In the order in which they were asked for. */
  readonly programs: readonly PreparedProgram[];
  readonly maps: readonly ObjectMap[];
}

/** Loads from a context, and what they are in a runtime: a signed one still wants the low half alone. */
const LDX_W = 0x61;
const LDXSW = 0x81;
const LDX_DW = 0x79;
const TRANSLATED: ReadonlyMap<number, number> = new Map([
  [LDX_W, LDX_DW],
  [LDXSW, LDXSW],
]);

/**
 * Links, verifies and compiles programs of an object: all that can be done without a runtime. Pure but for the clock.
 *
 * @param now milliseconds, for the statistics
 * @throws SkeinError SKEIN_BAD_OBJECT, SKEIN_BAD_PROGRAM, SKEIN_CONFIG for a section that no runtime has a hook for,
 * SKEIN_VERIFIER_REJECTED with the log
 */
export function prepareObject(
  object: Uint8Array,
  programs: readonly string[],
  now: () => number,
): PreparedObject {
  const spec = readObject(object);
  const maps = mapsOfObject(spec);
  requireRuntimeObject(spec, maps);
  return { maps, programs: programs.map((name) => prepareProgram(spec, maps, name, now)) };
}

function prepareProgram(
  spec: ObjectSpec,
  maps: readonly ObjectMap[],
  name: string,
  now: () => number,
): PreparedProgram {
  const program = spec.programs.find((each) => each.name === name);
  if (program === undefined)
    throw new SkeinError('SKEIN_CONFIG', `the object has no program ${name}`);
  const kind = kindOfSection(`program ${name}`, program.section);
  const linked = linkProgram(spec, maps, program);
  requireRuntimeHelpers(name, linked);
  const license = spec.sections.find((section) => section.name === 'license');
  const result = verify({
    ...linked,
    kind,
    maps,
    gplCompatible: new TextDecoder().decode(license?.bytes).startsWith('GPL'),
    logLevel: 1,
    now,
  });
  if (!result.accepted) {
    const { instruction, text, reason, source, log } = result;
    const line = source === undefined ? '' : ` (${source.file}:${source.line})`;
    throw new SkeinError(
      'SKEIN_VERIFIER_REJECTED',
      `program ${name}: instruction ${instruction}: ${text}: ${reason}${line}`,
      { detail: log },
    );
  }
  const compiled = compile(translateContext(linked, result.contextAccesses), linked.sites, maps);
  const xlatedBytes = linked.slots.length * 8;
  const statistics = { ...result.statistics, xlatedBytes, jitedBytes: compiled.code.length };
  return { name, section: program.section, kind, compiled, statistics };
}

/** Runtimes have every field of xdp_md, the pointers as well as the numbers, 8 bytes wide: HOOK_KIND_XDP. */
export function translateContext(
  { slots }: Pick<LinkedProgram, 'slots'>,
  accesses: readonly number[],
): readonly RawInstruction[] {
  const translated = [...slots];
  for (const at of accesses) {
    const load = slots[at];
    const opcode = load && TRANSLATED.get(load.opcode);
    if (load === undefined || opcode === undefined)
      throw new SkeinError('SKEIN_INTERNAL', `instruction ${at} uses the context in another way`);
    translated[at] = { ...load, opcode, offset: 2 * load.offset };
  }
  return translated;
}

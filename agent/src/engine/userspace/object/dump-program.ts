import type { ObjectSpec } from '#agent/object/spec.ts';
import type { Assembly, AssemblyInstruction, AssemblySite } from '#common/assembly.ts';
import { SkeinError } from '#common/errors.ts';
import type { SiteStatus } from '../../engine.ts';
import { disassemble } from '../isa/disassemble.ts';
import { operationOf, slotsOf } from '../isa/opcodes.ts';
import { helperName } from '../verifier/helpers.ts';
import { type LinkedProgram, type LinkedSite, linkProgram } from './link.ts';
import { mapsOfObject } from './object-maps.ts';

/**
 * A program of an object as the userspace engine links it, before verification.
 *
 * @param live what is known of the program's sites where it is loaded
 * @throws SkeinError SKEIN_BAD_OBJECT, SKEIN_BAD_PROGRAM, SKEIN_INVALID_ARGUMENT when there is no such program
 */
export function dumpProgram(
  spec: ObjectSpec,
  name: string,
  live: readonly SiteStatus[] = [],
): Assembly {
  const program = spec.programs.find((each) => each.name === name);
  if (program === undefined) {
    const names = spec.programs.map((each) => each.name).join(', ');
    throw new SkeinError('SKEIN_INVALID_ARGUMENT', `no program ${name}; it has: ${names}`);
  }
  const maps = mapsOfObject(spec);
  const linked = linkProgram(spec, maps, program);
  const { slots } = linked;
  const sites = sitesBySlot(linked);
  const lifeOf = livesOf(live);
  const functionAt = following(linked.functions, ({ start }) => start);
  const lineAt = following(linked.lines, ({ instruction }) => instruction);
  const instructions: AssemblyInstruction[] = [];
  for (let at = 0; at < slots.length; ) {
    const instruction = slots[at];
    if (instruction === undefined) break;
    const site = sites.get(at);
    const line = lineAt(at);
    const text = disassemble(slots, at, helperName);
    const isConstant = operationOf(instruction)?.kind === 'constant';
    const map = isConstant ? maps[instruction.imm] : undefined;
    instructions.push({
      instruction: at,
      opcode: instruction.opcode,
      function: functionAt(at)?.name ?? '',
      text:
        map === undefined ? text : text.replace(`map[fd:${instruction.imm}]`, `map[${map.name}]`),
      source: line && { file: line.file, line: line.line },
      site: site && describe(site, at, lifeOf(site)),
    });
    at += slotsOf(instruction);
  }
  return { name, section: program.section, instructions };
}

function describe(site: LinkedSite, at: number, live: AssemblySite['live']): AssemblySite {
  return {
    key: site.branch.key,
    encoding: site.branch.encoding,
    inverse: site.inverse,
    target: site.target,
    isJump: site.instruction === at,
    live,
  };
}

function sitesBySlot({ sites }: LinkedProgram): ReadonlyMap<number, LinkedSite> {
  const bySlot = new Map<number, LinkedSite>();
  for (const site of sites) {
    for (let at = site.start; at <= site.instruction; at++) bySlot.set(at, site);
  }
  return bySlot;
}

function livesOf(statuses: readonly SiteStatus[]): (site: LinkedSite) => AssemblySite['live'] {
  const place = (section: string, slot: number) => `${slot} ${section}`;
  const lives = new Map(
    statuses.map(({ section, sectionOffset, on, state }) => [
      place(section, sectionOffset),
      { on, state },
    ]),
  );
  return ({ branch }) => lives.get(place(branch.section, branch.instruction));
}

/** The last that begins at or before a slot, for slots that only grow. */
function following<T>(sorted: readonly T[], startOf: (each: T) => number) {
  let next = 0;
  return (slot: number): T | undefined => {
    for (let each = sorted[next]; each !== undefined && startOf(each) <= slot; each = sorted[next])
      next++;
    return sorted[next - 1];
  };
}

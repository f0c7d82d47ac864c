import type { Assembly, AssemblyInstruction, AssemblySite } from '#common/assembly.ts';
import type { Tier } from '#common/observed.ts';
import type { ProgramView } from '../client/skein-client.ts';
import { onOff } from '../parse/values.ts';

/** For people: as in the kernel's dumps, with lines of source and static branches marked. */
export function assemblyText({ name, section, instructions }: Assembly): string {
  const text: string[] = [`${name}: SEC("${section}")`];
  let before: AssemblyInstruction | undefined;
  for (const each of instructions) {
    const { source } = each;
    if (each.function !== before?.function) text.push(`${each.function}:`);
    if (source && (source.line !== before?.source?.line || source.file !== before.source.file))
      text.push(`; ${source.file}:${source.line}`);
    text.push(instructionText(each));
    before = each;
  }
  return `${text.join('\n')}\n`;
}

/** Of a program on a host: what is shown, and how what runs differs from it, go first. */
export function dumpText({ host, unit, program, tier }: ProgramView, assembly: Assembly): string {
  const heading = `; ${unit}/${program} on ${host}, as its object has it. Tier ${tier}: ${RUNS[tier]}.`;
  return `${heading}\n${assemblyText(assembly)}`;
}

export function dumpDocument({ host, unit, tier }: ProgramView, assembly: Assembly) {
  return { host, unit, tier, ...assembly };
}

const RUNS: Readonly<Record<Tier, string>> = {
  dynamic: 'each static branch tests its variable',
  specialised: 'the variant in force has no static branches left, and fewer instructions',
  patched: 'each static branch is a nop or a jump',
};

function instructionText({ instruction, opcode, text, site }: AssemblyInstruction): string {
  const line = `${String(instruction).padStart(5)}: (${opcode.toString(16).padStart(2, '0')}) ${text}`;
  if (site === undefined) return `  ${line}`;
  const mark = site.isJump ? '*' : '|';
  if (!site.isJump) return `${mark} ${line}`;
  const [on, off] = site.inverse ? ['falls through', 'jumps'] : ['jumps', 'falls through'];
  return `${`${mark} ${line}`.padEnd(56)} ; ${site.key}: on ${on}, off ${off}; to ${site.target}, ${site.encoding}${lifeText(site)}`;
}

function lifeText({ live }: AssemblySite): string {
  if (live === undefined) return '';
  switch (live.state) {
    case 'branch':
      return `; now ${onOff(live.on)}`;
    case 'removed':
      return `; removed (${onOff(live.on)})`;
    case 'unreachable':
      return '; unreachable';
  }
}

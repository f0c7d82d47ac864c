import { FunctionTable } from './functions.ts';
import { CALL, decode, LD_IMM64, PSEUDO_CALL, SLOT } from './instructions.ts';
import { R_BPF_64_32, R_BPF_64_64, relocationAt, resolve } from './relocations.ts';
import { viewOf } from './sections.ts';
import type { BpfFunction, ObjectSpec, Section, StaticBranch } from './spec.ts';

/**
 * The static branches that a program can reach: its own, and those of the subprograms and callbacks
 * that it calls or takes the address of, at any depth. Sorted by section, then instruction.
 * Empty for a program that the object does not have.
 */
export function sitesOfProgram(spec: ObjectSpec, program: string): readonly StaticBranch[] {
  const root = spec.programs.find((fn) => fn.name === program);
  if (root === undefined) return [];
  const table = new FunctionTable(spec.functions);
  const reached = reachable(spec, table, root);
  const order = new Map(spec.sections.map((section) => [section.name, section.index]));
  return spec.keys
    .flatMap((key) => key.sites)
    .filter((site) => reached.has(table.at(site.section, site.instruction) ?? root))
    .sort(
      (a, b) =>
        (order.get(a.section) ?? 0) - (order.get(b.section) ?? 0) || a.instruction - b.instruction,
    );
}

function reachable(
  spec: ObjectSpec,
  table: FunctionTable,
  root: BpfFunction,
): ReadonlySet<BpfFunction> {
  const code = new Map(
    spec.sections.filter((each) => each.executable).map((section) => [section.name, section]),
  );
  const reached = new Set([root]);
  // A set hands out what is added during the iteration, too.
  for (const fn of reached) {
    const section = code.get(fn.section);
    if (section === undefined) continue;
    for (const callee of references(spec.sections, table, section, fn)) reached.add(callee);
  }
  return reached;
}

/** Functions that `fn` calls or takes the address of. The addends are those that libbpf applies. */
function* references(
  sections: readonly Section[],
  table: FunctionTable,
  section: Section,
  fn: BpfFunction,
): Generator<BpfFunction> {
  const code = viewOf(section);
  for (let slot = fn.instruction; slot < fn.instruction + fn.length; slot++) {
    const { opcode, src, imm } = decode(code, slot * SLOT);
    const relocation = relocationAt(section, slot * SLOT);
    let callee: BpfFunction | undefined;
    if (relocation === undefined) {
      if (opcode === CALL && src === PSEUDO_CALL) callee = table.at(section.name, slot + 1 + imm);
    } else if (opcode === CALL && relocation.type === R_BPF_64_32) {
      // For a static function the symbol is the section and imm counts from its start, less one.
      const to = resolve(sections, relocation, SLOT * (imm + 1));
      callee = to && table.at(to.section.name, to.offset / SLOT);
    } else if (opcode === LD_IMM64 && relocation.type === R_BPF_64_64) {
      const to = resolve(sections, relocation, imm);
      callee = to?.section.executable ? table.at(to.section.name, to.offset / SLOT) : undefined;
    }
    if (callee !== undefined) yield callee;
    if (opcode === LD_IMM64) slot++;
  }
}

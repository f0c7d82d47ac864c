import { sitesOfProgram } from '#agent/object/call-graph.ts';
import { SLOT } from '#agent/object/instructions.ts';
import { readObject } from '#agent/object/read-object.ts';
import type { BpfFunction, ObjectSpec, StaticBranch, StaticKey } from '#agent/object/spec.ts';
import { slotsOf } from '#agent/program/instruction.ts';
import { lift } from '#agent/program/lift.ts';
import type { LiftedFunction, LiftedObject } from '#agent/program/lifted.ts';
import { lowerDynamic } from '#agent/program/lower-dynamic.ts';
import { reachedFunctions } from '#agent/program/reached-functions.ts';
import { specialise } from '#agent/program/specialise.ts';
import { SkeinError } from '#common/errors.ts';

/** What is in an object, and what its forms would take. */
export interface ObjectReport {
  readonly programs: readonly ProgramReport[];
  readonly keys: readonly KeyReport[];
  /** Forms that cannot be made, and why; one line each. */
  readonly problems: readonly string[];
}

interface ProgramReport {
  readonly name: string;
  readonly section: string;
  /** Slots of the program alone; an ld_imm64 takes two. */
  readonly instructions: number;
  /** Subprograms and callbacks that it calls or takes the address of, at any depth. */
  readonly subprograms: readonly string[];
  /** Static branches that it can reach. */
  readonly sites: number;
  /** Bytes of BPF code, subprograms included; absent for a form that cannot be made. */
  readonly bytes: Readonly<Record<Form, number | undefined>>;
}

interface KeyReport {
  readonly name: string;
  readonly section: string;
  readonly declared: boolean;
  readonly sites: readonly SiteReport[];
}

interface SiteReport {
  readonly branch: StaticBranch;
  /** Programs that can reach it; several when it is in a subprogram that they share. */
  readonly programs: readonly string[];
}

/** The dynamic tier; specialised with all keys off; specialised for the values that the object declares. */
const FORMS = ['dynamic', 'allOff', 'declared'] as const;
export type Form = (typeof FORMS)[number];

/**
 * A pure function of the object's bytes.
 * @throws SkeinError SKEIN_BAD_OBJECT with the place
 */
export function inspectObject(bytes: Uint8Array): ObjectReport {
  const spec = readObject(bytes);
  const lifted = lift(bytes, spec);
  const problems: string[] = [];
  const forms = FORMS.map((form) => [form, tryToMake(form, lifted, problems)] as const);
  const reached = new Map(spec.programs.map(({ name }) => [name, sitesOfProgram(spec, name)]));
  return {
    programs: spec.programs.map((program) => ({
      name: program.name,
      section: program.section,
      instructions: program.length,
      subprograms: subprogramsOf(lifted, program),
      sites: reached.get(program.name)?.length ?? 0,
      bytes: bytesOf(program, forms),
    })),
    keys: spec.keys.map((key) => keyReport(key, reached)),
    problems,
  };
}

function keyReport(
  { name, section, declared, sites }: StaticKey,
  reached: ReadonlyMap<string, readonly StaticBranch[]>,
): KeyReport {
  const programsOf = (branch: StaticBranch) =>
    [...reached].filter(([, branches]) => branches.includes(branch)).map(([program]) => program);
  return {
    name,
    section,
    declared,
    sites: sites.map((branch) => ({ branch, programs: programsOf(branch) })),
  };
}

function tryToMake(form: Form, lifted: LiftedObject, problems: string[]): LiftedObject | undefined {
  try {
    return form === 'dynamic'
      ? lowerDynamic(lifted)
      : specialise(lifted, vectorOf(form, lifted.spec));
  } catch (thrown) {
    if (!(thrown instanceof SkeinError)) throw thrown;
    problems.push(`${FORM_NAMES[form]}: ${thrown.code}: ${thrown.message}`);
    return undefined;
  }
}

export const FORM_NAMES: Readonly<Record<Form, string>> = {
  dynamic: 'dynamic',
  allOff: 'all off',
  declared: 'as declared',
};

const vectorOf = (form: Form, { keys }: ObjectSpec): ReadonlyMap<string, boolean> =>
  new Map(keys.map(({ name, declared }) => [name, form === 'declared' && declared]));

const subprogramsOf = (lifted: LiftedObject, { name }: BpfFunction): readonly string[] =>
  functionsOf(lifted, name)
    .filter((fn) => !fn.program)
    .map((fn) => fn.name);

function bytesOf(
  { name }: BpfFunction,
  forms: readonly (readonly [Form, LiftedObject | undefined])[],
): ProgramReport['bytes'] {
  const sizes = { dynamic: undefined, allOff: undefined, declared: undefined };
  const slots = ({ body }: LiftedFunction) => body.reduce((sum, each) => sum + slotsOf(each), 0);
  const sizeOf = (object: LiftedObject) =>
    SLOT * functionsOf(object, name).reduce((sum, fn) => sum + slots(fn), 0);
  return {
    ...sizes,
    ...Object.fromEntries(forms.map(([form, object]) => [form, object && sizeOf(object)])),
  };
}

/** What a loader makes one program of. Data that points at a function brings it into no program. */
function functionsOf({ functions }: LiftedObject, program: string): readonly LiftedFunction[] {
  const free = functions.map((fn) => ({ ...fn, pinned: false }));
  const reached = reachedFunctions(free, ({ name }) => name === program);
  return functions.filter(({ id }) => reached.has(id));
}

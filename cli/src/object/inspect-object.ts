import { FunctionTable } from '#agent/object/functions.ts';
import { SLOT } from '#agent/object/instructions.ts';
import { readObject } from '#agent/object/read-object.ts';
import type { ObjectSpec, StaticBranch } from '#agent/object/spec.ts';
import { slotsIn } from '#agent/program/instruction.ts';
import { lift } from '#agent/program/lift.ts';
import type { FunctionId, LiftedFunction, LiftedObject } from '#agent/program/lifted.ts';
import { lowerDynamic } from '#agent/program/lower-dynamic.ts';
import { CallGraph } from '#agent/program/reached-functions.ts';
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
  const code = new FormCode(lifted);
  const forms = FORMS.map((form) => [form, tryToMake(form, lifted, problems)] as const);
  const sites = sitesByFunction(spec);
  const programsOf = new Map<StaticBranch, string[]>();
  const programs = lifted.functions.filter(isProgram).map((program): ProgramReport => {
    const { name, section } = program;
    const functions = code.reachedFrom(program);
    const reached = functions.flatMap(({ id }) => sites.get(id) ?? []);
    for (const site of reached) appendTo(programsOf, site, name);
    return {
      name,
      section: spec.sections[section]?.name ?? '',
      instructions: slotsIn(program.body),
      subprograms: functions.filter((fn) => !isProgram(fn)).map((fn) => fn.name),
      sites: reached.length,
      bytes: bytesOf(program, forms),
    };
  });
  const keys = spec.keys.map(({ name, section, declared, sites }) => ({
    name,
    section,
    declared,
    sites: sites.map((branch) => ({ branch, programs: programsOf.get(branch) ?? [] })),
  }));
  return { programs, keys, problems };
}

const isProgram = (fn: LiftedFunction): boolean => fn.program;

/** Functions keep the numbers that they have in the spec. */
function sitesByFunction({ functions, keys }: ObjectSpec): ReadonlyMap<FunctionId, StaticBranch[]> {
  const table = new FunctionTable(functions);
  const ids = new Map(functions.map((fn, id) => [fn, id]));
  const found = new Map<FunctionId, StaticBranch[]>();
  for (const site of keys.flatMap((key) => key.sites)) {
    const fn = table.at(site.section, site.instruction);
    const id = fn && ids.get(fn);
    if (id !== undefined) appendTo(found, id, site);
  }
  return found;
}

function appendTo<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

function tryToMake(form: Form, lifted: LiftedObject, problems: string[]): FormCode | undefined {
  try {
    return new FormCode(
      form === 'dynamic' ? lowerDynamic(lifted) : specialise(lifted, vectorOf(form, lifted.spec)),
    );
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

function bytesOf(
  program: LiftedFunction,
  forms: readonly (readonly [Form, FormCode | undefined])[],
): ProgramReport['bytes'] {
  const sizes = { dynamic: undefined, allOff: undefined, declared: undefined };
  return {
    ...sizes,
    ...Object.fromEntries(forms.map(([form, code]) => [form, code?.bytesOf(program)])),
  };
}

/** The code of one form of an object. */
class FormCode {
  readonly #calls: CallGraph;
  readonly #byId: ReadonlyMap<FunctionId, LiftedFunction>;
  readonly #sizes: ReadonlyMap<FunctionId, number>;

  constructor({ functions }: LiftedObject) {
    this.#calls = new CallGraph(functions);
    this.#byId = new Map(functions.map((fn) => [fn.id, fn]));
    this.#sizes = new Map(functions.map((fn) => [fn.id, SLOT * slotsIn(fn.body)]));
  }

  /** What a loader makes one program of. Data that points at a function brings it into no program. */
  reachedFrom(program: LiftedFunction): readonly LiftedFunction[] {
    const reached = [...this.#calls.reachedFrom([program])].sort((a, b) => a - b);
    return reached.flatMap((id) => this.#byId.get(id) ?? []);
  }

  bytesOf(program: LiftedFunction): number {
    let bytes = 0;
    for (const id of this.#calls.reachedFrom([program])) bytes += this.#sizes.get(id) ?? 0;
    return bytes;
  }
}

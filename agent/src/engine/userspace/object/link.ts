import { BTF_PTR, BtfTypes } from '#agent/object/btf.ts';
import { sitesOfProgram } from '#agent/object/call-graph.ts';
import { FunctionTable } from '#agent/object/functions.ts';
import {
  CALL,
  decode,
  LD_IMM64,
  PSEUDO_CALL,
  PSEUDO_FUNC,
  type RawInstruction,
  SLOT,
} from '#agent/object/instructions.ts';
import { R_BPF_64_32, relocationAt, resolve } from '#agent/object/relocations.ts';
import { viewOf } from '#agent/object/sections.ts';
import { SourceLines } from '#agent/object/source-lines.ts';
import type {
  BpfFunction,
  ObjectSpec,
  Relocation,
  Section,
  StaticBranch,
} from '#agent/object/spec.ts';
import type { SkeinError } from '#common/errors.ts';
import type { Site } from '../isa/sites.ts';
import type { FunctionInput, LineInput, Parameter } from '../verifier/input.ts';
import { notForRuntimes } from './not-for-runtimes.ts';
import type { ObjectMap } from './object-maps.ts';

/** A program with what it calls behind it, maps named by their place in the object's list. */
export interface LinkedProgram {
  readonly slots: readonly RawInstruction[];
  readonly functions: readonly FunctionInput[];
  readonly lines: readonly LineInput[];
  /** In the order of sitesOfProgram(). */
  readonly sites: readonly LinkedSite[];
}

export interface LinkedSite extends Site {
  readonly branch: StaticBranch;
  /** Slot at which its function begins. */
  readonly functionStart: number;
}

/** Values of src_reg of an ld_imm64: BPF_PSEUDO_MAP_FD and BPF_PSEUDO_MAP_VALUE, with an index for the descriptor. */
const MAP = 1;
const MAP_VALUE = 2;

const CONTEXT_STRUCTS: readonly string[] = ['xdp_md', '__sk_buff', 'bpf_raw_tracepoint_args'];

/**
 * What libbpf makes of a program of an object, static branches of all encodings made one form.
 *
 * @throws SkeinError SKEIN_BAD_PROGRAM for what only the kernel could know
 */
export function linkProgram(
  spec: ObjectSpec,
  maps: readonly ObjectMap[],
  program: BpfFunction,
): LinkedProgram {
  return new Link(spec, maps, program).linked();
}

class Link {
  readonly #spec: ObjectSpec;
  readonly #maps: readonly ObjectMap[];
  readonly #program: BpfFunction;
  readonly #types: BtfTypes | undefined;
  readonly #table: FunctionTable;
  readonly #lines: SourceLines;
  /** First slot in the program. */
  readonly #starts = new Map<BpfFunction, number>();
  readonly #slots: RawInstruction[] = [];

  constructor(spec: ObjectSpec, maps: readonly ObjectMap[], program: BpfFunction) {
    const types = spec.sections.find(({ name }) => name === '.BTF');
    this.#spec = spec;
    this.#maps = maps;
    this.#program = program;
    this.#types = types && new BtfTypes(types);
    this.#table = new FunctionTable(spec.functions);
    this.#lines = new SourceLines(spec.sections);
    this.#place(program);
    // A map hands out what is added during the iteration, too.
    for (const [fn, start] of this.#starts) this.#relocate(fn, start);
  }

  linked(): LinkedProgram {
    return {
      slots: this.#slots,
      functions: [...this.#starts].map(([fn, start]) => this.#functionInput(fn, start)),
      lines: this.#lineInputs(),
      sites: sitesOfProgram(this.#spec, this.#program.name).map((branch) => this.#site(branch)),
    };
  }

  #site(branch: StaticBranch): LinkedSite {
    const fn = this.#table.at(branch.section, branch.instruction);
    const functionStart = fn && this.#starts.get(fn);
    if (fn === undefined || functionStart === undefined)
      throw this.#refuse(`the static branch of ${branch.key} in ${branch.function} is not reached`);
    const at = (slot: number) => functionStart + slot - fn.instruction;
    return {
      branch,
      functionStart,
      start: at(branch.start),
      instruction: at(branch.instruction),
      target: at(branch.target),
      inverse: branch.inverse,
    };
  }

  #place(fn: BpfFunction): number {
    const known = this.#starts.get(fn);
    if (known !== undefined) return known;
    const start = this.#slots.length;
    this.#starts.set(fn, start);
    const code = viewOf(this.#sectionOf(fn));
    for (let slot = 0; slot < fn.length; slot++)
      this.#slots.push(decode(code, (fn.instruction + slot) * SLOT));
    return start;
  }

  #relocate(fn: BpfFunction, start: number): void {
    const section = this.#sectionOf(fn);
    for (let slot = 0; slot < fn.length; slot++) {
      const at = start + slot;
      const instruction = this.#slots[at];
      if (instruction === undefined) return;
      const own = (fn.instruction + slot) * SLOT;
      const relocation = relocationAt(section, own);
      if (instruction.opcode === CALL) {
        const callee = this.#calleeOf(instruction, section, own, relocation);
        if (callee === undefined) continue;
        this.#slots[at] = { ...instruction, imm: this.#place(callee) - at - 1 };
      } else if (instruction.opcode === LD_IMM64) {
        if (relocation !== undefined) this.#relocateConstant(at, relocation, instruction);
        slot++;
      }
    }
  }

  /** Undefined for a helper function. */
  #calleeOf(
    { src, imm }: RawInstruction,
    section: Section,
    own: number,
    relocation: Relocation | undefined,
  ): BpfFunction | undefined {
    if (relocation === undefined && src !== PSEUDO_CALL) return undefined;
    const to =
      relocation?.type === R_BPF_64_32
        ? resolve(this.#spec.sections, relocation, SLOT * (imm + 1))
        : { section, offset: own + SLOT * (imm + 1) };
    const callee = to && this.#functionAt(to.section.name, to.offset);
    if (callee !== undefined) return callee;
    const name = relocation?.symbol.name || 'a place';
    throw this.#refuse(`calls ${name}, where no function of the object begins`);
  }

  /** The function that begins at a byte of a section. */
  #functionAt(section: string, offset: number): BpfFunction | undefined {
    const fn = this.#table.at(section, offset / SLOT);
    return fn?.instruction === offset / SLOT ? fn : undefined;
  }

  #relocateConstant(at: number, { symbol }: Relocation, load: RawInstruction): void {
    const section = this.#spec.sections[symbol.section ?? -1];
    const high = this.#slots[at + 1];
    if (section === undefined || high === undefined)
      throw this.#refuse(`needs ${symbol.name}, which only the kernel has`);
    const offset = symbol.offset + load.imm;
    if (section.executable) {
      const fn = this.#functionAt(section.name, offset);
      if (fn === undefined) throw this.#refuse('takes the address of what is no function');
      this.#slots[at] = { ...load, src: PSEUDO_FUNC, imm: this.#place(fn) - at - 1 };
      return;
    }
    const isMap = section.name === '.maps';
    const index = this.#maps.findIndex(
      (map) => map.section === section.index && (!isMap || map.offset === offset),
    );
    if (index < 0) throw this.#refuse(`uses ${symbol.name} of section ${section.name}`);
    this.#slots[at] = { ...load, src: isMap ? MAP : MAP_VALUE, imm: index };
    this.#slots[at + 1] = { ...high, imm: isMap ? 0 : offset };
  }

  #functionInput({ name, global }: BpfFunction, start: number): FunctionInput {
    const parameters = global && start !== 0 ? this.#types?.parameters(name) : undefined;
    if (parameters === undefined) return { name, start };
    return { name, start, global: { parameters: parameters.map((id) => this.#parameter(id)) } };
  }

  #parameter(id: number): Parameter {
    const type = this.#types?.plain(id);
    if (type?.kind !== BTF_PTR) return { type: 'scalar' };
    const pointee = this.#types?.plain(type.sizeOrType);
    if (CONTEXT_STRUCTS.includes(pointee?.name ?? '')) return { type: 'context' };
    const bytes = this.#types?.sizeOf(type.sizeOrType) ?? 0;
    return { type: 'memory', bytes, orNull: true };
  }

  #lineInputs(): readonly LineInput[] {
    const lines: LineInput[] = [];
    for (const [fn, start] of this.#starts) {
      for (let slot = 0; slot < fn.length; slot++) {
        const line = this.#lines.at(fn.section, fn.instruction + slot);
        const last = lines.at(-1);
        if (line !== undefined && (last?.line !== line.line || last.file !== line.file))
          lines.push({ instruction: start + slot, ...line });
      }
    }
    return lines;
  }

  #sectionOf(fn: BpfFunction): Section {
    const section = this.#spec.sections.find(({ name }) => name === fn.section);
    if (section === undefined) throw this.#refuse(`has a function in no section: ${fn.name}`);
    return section;
  }

  #refuse(what: string): SkeinError {
    return notForRuntimes(`program ${this.#program.name} ${what}`);
  }
}

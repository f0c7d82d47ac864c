import { SkeinError } from '#common/errors.ts';
import { JA, JEQ_IMM, JNE_IMM, LD_IMM64, LDX_W } from '../object/instructions.ts';
import { TABLE_SECTION } from '../object/key-table.ts';
import { R_BPF_64_64, R_BPF_64_ABS64, R_BPF_64_NODYLD32 } from '../object/relocations.ts';
import { bit } from './effects.ts';
import { flowOf } from './flow.ts';
import { cloneBody, plain, slotsIn } from './instruction.ts';
import type { Instruction, LiftedFunction, LiftedObject, Site, TableEntry } from './lifted.ts';
import { type Liveness, livenessOf } from './liveness.ts';
import { freeStackSlot, reload, spill } from './spill.ts';
import { Splice } from './splice.ts';

/**
 * Free registers in the order of preference: those that calls destroy anyway come first, since a callee-saved
 * one costs a push and a pop.
 */
const SCRATCH = [0, 5, 4, 3, 2, 1, 9, 8, 7, 6];
/** Used when none is free. */
const SPILLED = 9;

/**
 * Gives every site the default encoding, which stock kernels take: load the key's variable, test it, jump.
 * A register that is dead at the site holds it, or else a spilled one. Sites that have that encoding stay as they are.
 * @throws SkeinError SKEIN_CANNOT_LOWER when a function has neither a free register nor a free stack slot
 */
export function lowerDynamic(lifted: LiftedObject): LiftedObject {
  let edited = lifted.edited;
  let order = lifted.functions.reduce(
    (sum, { body }) => body.reduce((max, { site }) => Math.max(max, site?.entry?.order ?? 0), sum),
    0,
  );
  const table = lifted.spec.sections.find(({ name }) => name === TABLE_SECTION)?.index;
  const functions = lifted.functions.map((fn) => {
    if (!fn.body.some(needsLowering)) return fn;
    edited = true;
    return new FunctionLowering(lifted, fn, { table, nextOrder: () => ++order }).run();
  });
  return edited ? { ...lifted, functions, edited } : lifted;
}

const needsLowering = ({ site }: Instruction): boolean =>
  site !== undefined && site.encoding !== 'default';

/** Where entries for new sites of the default encoding go. */
interface Entries {
  /** Number of the table's section; undefined for one yet to be made. */
  readonly table: number | undefined;
  readonly nextOrder: () => number;
}

class FunctionLowering {
  readonly #lifted: LiftedObject;
  readonly #fn: LiftedFunction;
  readonly #entries: Entries;
  readonly #body: Instruction[];
  readonly #live: Liveness;
  readonly #splice: Splice;
  /** For spilling; looked for when the first site needs it. */
  #stackSlot: number | undefined;

  constructor(lifted: LiftedObject, fn: LiftedFunction, entries: Entries) {
    this.#lifted = lifted;
    this.#fn = fn;
    this.#entries = entries;
    this.#body = cloneBody(fn.body);
    this.#live = livenessOf(this.#body, flowOf(this.#body));
    this.#splice = new Splice(this.#body);
  }

  run(): LiftedFunction {
    this.#body.forEach((jump, position) => {
      if (jump.site !== undefined && needsLowering(jump)) this.#lower(jump, jump.site, position);
    });
    return { ...this.#fn, body: this.#splice.run() };
  }

  #lower(jump: Instruction, site: Site, position: number): void {
    const live = this.#live.after[position] ?? 0;
    if (site.encoding === 'self-compare') {
      const load = this.#body[position - 1];
      const isLoad = load?.opcode === LD_IMM64 && load.dst === jump.dst;
      if (isLoad && (live & bit(jump.dst)) === 0) this.#splice.replace(load, []);
    }
    const free = SCRATCH.find((register) => (live & bit(register)) === 0);
    const test = this.#test(site, free ?? SPILLED, jump.target);
    if (free !== undefined) {
      this.#splice.replace(jump, test);
      return;
    }
    this.#stackSlot ??= freeStackSlot(this.#fn.body);
    const slot = this.#stackSlot;
    if (slot === undefined) throw this.#noRoom(position);
    // The register comes back on both ways; the way of the jump does that out of line.
    const detour = [
      reload(SPILLED, slot),
      { ...plain({ opcode: JA, dst: 0, src: 0, offset: 0, imm: 0 }), target: jump.target },
    ];
    const [branch] = test.slice(-1);
    if (branch !== undefined) branch.target = detour[0];
    this.#splice.replace(jump, [spill(SPILLED, slot), ...test, reload(SPILLED, slot)]);
    this.#splice.append(detour, jump);
  }

  /** `rX = key ll; rX = *(u32 *)(rX + 0); if rX != 0 goto target` */
  #test(site: Site, register: number, target: Instruction | undefined): Instruction[] {
    const symbol = this.#lifted.keySymbols.get(site.key) ?? 0;
    const at = { dst: register, src: 0, offset: 0, imm: 0 };
    const name = plain({ ...at, opcode: LD_IMM64 });
    name.wide = 0;
    name.relocation = { type: R_BPF_64_64, symbol };
    const load = plain({ ...at, opcode: LDX_W, src: register });
    const jump = plain({ ...at, opcode: site.inverse ? JEQ_IMM : JNE_IMM });
    jump.target = target;
    jump.site = { ...site, encoding: 'default', entry: this.#entry(site, symbol) };
    return [name, load, jump];
  }

  #entry({ inverse }: Site, symbol: number): TableEntry {
    const code = this.#lifted.elf.sectionSymbols.get(this.#fn.section) ?? this.#fn.symbol;
    const place = { type: R_BPF_64_NODYLD32, symbol: code };
    const addend = inverse ? 1n : 0n;
    return {
      table: this.#entries.table,
      order: this.#entries.nextOrder(),
      site: place,
      target: place,
      key: { type: R_BPF_64_ABS64, symbol, addend },
    };
  }

  #noRoom(position: number): SkeinError {
    const slot = slotsIn(this.#fn.body.slice(0, position));
    return new SkeinError(
      'SKEIN_CANNOT_LOWER',
      `${this.#fn.name}, instruction ${slot}: no register is free at the static branch, and no stack slot`,
    );
  }
}

import type { RawInstruction } from '#agent/object/instructions.ts';
import { type Operation, operationOf, slotsOf } from '../isa/opcodes.ts';
import { isTaken, type Site } from '../isa/sites.ts';
import { startsOfSubprograms } from '../isa/subprograms.ts';
import { emitAlu, emitUnary } from './emit-alu.ts';
import { emitBranch } from './emit-branch.ts';
import { type CompiledMap, emitArrayLookup, Lookups } from './emit-lookup.ts';
import { emitAtomic, emitLoad, emitStore } from './emit-memory.ts';
import { emitEpilogue, emitPrologue, type Frame, frameOf } from './frame.ts';
import { layOut, type Place, type Seam } from './layout.ts';
import { type ConstantTarget, constantTarget, type PatchTarget } from './patch-target.ts';
import { nativeRegister, RAX, RDX } from './registers.ts';
import { X64 } from './x64.ts';

export interface Patch {
  /** Native offset of the 8 bytes. */
  readonly offset: number;
  readonly target: PatchTarget;
}

/** A site in the code: 5 bytes within one aligned word, a nop or `jmp rel32`. */
export interface CompiledSite<S extends Site> {
  readonly site: S;
  /** Native. */
  readonly offset: number;
  /** Native: where it goes when it is taken. */
  readonly target: number;
}

export interface Compiled<S extends Site> {
  /** Every site as it is while its key is off. */
  readonly code: Uint8Array;
  readonly patches: readonly Patch[];
  readonly sites: readonly CompiledSite<S>[];
  /** Native offset by slot. Of the second half of a constant: what follows it. */
  readonly offsets: Uint32Array;
  /** Native offset of each function, by its first slot. */
  readonly functions: ReadonlyMap<number, number>;
}

/**
 * x86-64 code of a program that validate() accepts. It begins with the main function, which is called as
 * `uint64_t (*)(r1, r2, r3, r4, r5)`. The code must be placed on an 8-byte boundary.
 *
 * @param maps by the numbers that the program names them by; of those that are not here nothing is known
 */
export function compile<S extends Site>(
  slots: readonly RawInstruction[],
  sites: readonly S[],
  maps: readonly CompiledMap[] = [],
): Compiled<S> {
  return new Compiler(slots, sites, maps).compile();
}

/** BPF_FUNC_tail_call. */
const TAIL_CALL = 12;

/** Condition code of Jcc. */
const EQUAL = 4;

class Compiler<S extends Site> {
  readonly #slots: readonly RawInstruction[];
  readonly #sites: readonly S[];
  readonly #maps: readonly CompiledMap[];
  readonly #lookups: Lookups;
  readonly #code = new X64();
  readonly #seams: { readonly at: number; readonly seam: Seam }[] = [];
  readonly #patches: { readonly place: Place; readonly target: ConstantTarget }[] = [];
  readonly #places: Place[] = [];
  readonly #functions = new Map<number, Place>();
  #frame: Frame = { stack: 0, saved: [] };

  constructor(slots: readonly RawInstruction[], sites: readonly S[], maps: readonly CompiledMap[]) {
    this.#slots = slots;
    this.#sites = sites;
    this.#maps = maps;
    this.#lookups = new Lookups(slots, sites, maps);
  }

  compile(): Compiled<S> {
    this.#emitAll();
    const { code, offsetOf } = layOut({
      fixed: this.#code,
      seams: this.#seams,
      slots: this.#places,
      functions: this.#functions,
    });
    const offsets = Uint32Array.from(this.#places, offsetOf);
    const offsetOfSlot = (slot: number) => offsets[slot] ?? 0;
    const offsetOfFunction = (slot: number) => {
      const place = this.#functions.get(slot);
      return place === undefined ? 0 : offsetOf(place);
    };
    return {
      code,
      patches: this.#patches.map(({ place, target }) => ({
        offset: offsetOf(place),
        target:
          target.kind === 'function'
            ? { kind: 'code', offset: offsetOfFunction(target.start) }
            : target,
      })),
      sites: this.#sites.map((site) => ({
        site,
        offset: offsetOfSlot(site.instruction),
        target: offsetOfSlot(site.target),
      })),
      offsets,
      functions: new Map([...this.#functions].map(([slot, place]) => [slot, offsetOf(place)])),
    };
  }

  #emitAll(): void {
    const starts = startsOfSubprograms(this.#slots);
    const siteByStart = new Map(this.#sites.map((site) => [site.start, site]));
    let next = 0;
    for (let at = 0; at < this.#slots.length; ) {
      if (at === starts[next]) {
        next += 1;
        this.#beginFunction(at, starts[next] ?? this.#slots.length);
      }
      const site = siteByStart.get(at);
      const instruction = this.#slots[at];
      if (instruction === undefined) break;
      const end = site === undefined ? at + slotsOf(instruction) : site.instruction + 1;
      if (site !== undefined) this.#emitSite(site, end - at);
      else this.#emit(at, instruction);
      at = end;
    }
  }

  #beginFunction(start: number, end: number): void {
    this.#functions.set(start, this.#here());
    this.#frame = frameOf(this.#slots, start, end);
    emitPrologue(this.#code, this.#frame);
  }

  /** The load of a key is part of its site, and no code. */
  #emitSite(site: S, slots: number): void {
    this.#pad();
    const place = this.#here();
    for (let each = 0; each < slots; each++) this.#places.push(place);
    this.#seam({ kind: 'site', target: site.target, taken: isTaken(site, false) });
  }

  /** In the instruction before, if nothing but that one goes on here: then a site that is off costs its one nop. */
  #pad(): void {
    const here = this.#code.length;
    const at = this.#code.prefixable ?? here;
    const behind = Math.max(this.#seams.at(-1)?.at ?? 0, this.#places.at(-1)?.at ?? 0);
    if (at < behind) this.#seam({ kind: 'pad', ahead: 0 });
    else this.#seams.push({ at, seam: { kind: 'pad', ahead: here - at } });
  }

  #emit(at: number, instruction: RawInstruction): void {
    this.#places.push(this.#here());
    const operation = operationOf(instruction);
    if (operation === undefined) throw new RangeError(`slot ${at} was not validated`);
    this.#emitOperation(at, operation, instruction);
    if (operation.kind === 'constant') this.#places.push(this.#here());
  }

  #emitOperation(at: number, operation: Operation, instruction: RawInstruction): void {
    const code = this.#code;
    switch (operation.kind) {
      case 'alu':
        emitAlu(code, operation, instruction);
        return;
      case 'negate':
      case 'sign-extend':
      case 'byte-order':
        emitUnary(code, operation, instruction);
        return;
      case 'load':
        emitLoad(code, operation, instruction);
        return;
      case 'store':
        emitStore(code, operation, instruction);
        return;
      case 'atomic':
        emitAtomic(code, operation, instruction);
        return;
      case 'constant':
        this.#emitConstant(at, operation, instruction);
        return;
      case 'goto': {
        const target = at + 1 + operation.distance;
        if (operation.distance !== 0) this.#seam({ kind: 'jump', condition: 'always', target });
        return;
      }
      case 'branch': {
        const condition = emitBranch(code, operation, instruction);
        this.#seam({ kind: 'jump', condition, target: at + 1 + instruction.offset });
        return;
      }
      case 'call':
        if (operation.callee === 'subprogram') {
          this.#seam({ kind: 'call', target: at + 1 + instruction.imm });
          return;
        }
        if (operation.callee === 'helper' && this.#emitLookup(at)) return;
        this.#emitPatched(RAX, { kind: operation.callee, id: instruction.imm });
        // call *%rax
        code.registers(false, 0xff, 2, RAX);
        if (operation.callee === 'helper' && instruction.imm === TAIL_CALL) this.#returnIfTaken();
        return;
      case 'exit':
        emitEpilogue(code, this.#frame);
        return;
    }
  }

  /** False when it takes a call. */
  #emitLookup(at: number): boolean {
    const number = this.#lookups.arrayAt(at);
    const map = number === undefined ? undefined : this.#maps[number];
    if (number === undefined || map === undefined) return false;
    emitArrayLookup(this.#code, map, () =>
      this.#emitPatched(RAX, { kind: 'map-value', by: 'index', number, offset: 0 }),
    );
    return true;
  }

  /** A tail call has run the other program and says so in rdx: its result is then this function's. */
  #returnIfTaken(): void {
    const code = this.#code;
    // test %rdx,%rdx
    code.registers(true, 0x85, RDX, RDX);
    const notTaken = code.skip(EQUAL);
    emitEpilogue(code, this.#frame);
    code.land(notTaken);
  }

  #emitConstant(
    at: number,
    { of }: Operation & { readonly kind: 'constant' },
    { dst, imm }: RawInstruction,
  ): void {
    const high = this.#slots[at + 1]?.imm ?? 0;
    const register = nativeRegister(dst);
    if (of === 'number') {
      const value = (BigInt(high) << 32n) | BigInt(imm >>> 0);
      this.#code.moveNumber(register, value);
    } else this.#emitPatched(register, constantTarget(of, at, imm, high));
  }

  #emitPatched(register: number, target: ConstantTarget): void {
    this.#code.moveWord(register, 0n);
    this.#patches.push({ place: this.#here(-8), target });
  }

  #seam(seam: Seam): void {
    this.#seams.push({ at: this.#code.length, seam });
  }

  #here(distance = 0): Place {
    return { at: this.#code.length + distance, seam: this.#seams.length };
  }
}

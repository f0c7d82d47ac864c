import type { RawInstruction } from '#agent/object/instructions.ts';
import { assemble } from '../isa/assemble.ts';
import { type Site, siteAt } from '../isa/sites.ts';

/** A program that ends, touches only its memory and stack, and whose result depends on nothing but its input and keys. */
export interface RandomProgram {
  readonly source: string;
  readonly slots: readonly RawInstruction[];
  /** In every encoding. */
  readonly sites: readonly Site[];
}

/** What such a program is to be run on; r2 is not looked at. */
export const MEMORY_BYTES = 64;

/**
 * `below(n)` gives a number from 0 to n - 1. `verifiable`: without what the kernel's verifier refuses although it is
 * defined, shifts by too much and divisions by the number 0.
 */
export function randomProgram(
  below: (limit: number) => number,
  { verifiable = false }: { readonly verifiable?: boolean } = {},
): RandomProgram {
  const depth = below(3);
  const functions = Array.from({ length: depth + 1 }, (_, index) =>
    new FunctionWriter(below, verifiable, index, index < depth ? index + 1 : undefined).write(),
  );
  const source = functions.join('\n');
  const slots = assemble(source);
  const sites = [...slots.keys()].flatMap((slot) => siteAt(slots, slot) ?? []);
  return { source, slots, sites };
}

const SIZES = [1, 2, 4, 8] as const;
const ALU_SIGNS = ['+=', '-=', '*=', '/=', '|=', '&=', '<<=', '>>=', '%=', '^=', '=', 's>>='];
const SIGNED_SIGNS = ['s/=', 's%='];
const COMPARISONS = ['==', '!=', '>', '>=', '<', '<=', 's>', 's>=', 's<', 's<=', '&'];
/** Bytes of stack for data; the loop counters are below. */
const STACK_DATA = 64;
const LOOPS = 2;
const ROUNDS = 3;

/** Blocks one behind the other, with jumps forward to any of them, and back only past a counter. */
class FunctionWriter {
  readonly #below: (limit: number) => number;
  readonly #verifiable: boolean;
  readonly #name: string;
  readonly #callee: number | undefined;
  readonly #lines: string[] = [];
  readonly #blocks: number;
  /** r6 to r9: where the memory is. All other registers hold numbers between instructions that belong together. */
  readonly #pointer: number;
  #block = 0;

  constructor(
    below: (limit: number) => number,
    verifiable: boolean,
    index: number,
    callee: number | undefined,
  ) {
    this.#below = below;
    this.#verifiable = verifiable;
    this.#name = `f${index}`;
    this.#callee = callee;
    this.#blocks = 3 + below(6);
    this.#pointer = 6 + below(4);
  }

  write(): string {
    this.#emit(`${this.#name}:`, `r${this.#pointer} = r1`);
    for (const register of this.#numbers()) this.#setNumber(register);
    for (let at = 8; at <= STACK_DATA; at += 8) this.#emit(`*(u64 *)(r10 -${at}) = ${this.#int()}`);
    for (let loop = 0; loop < LOOPS; loop++)
      this.#emit(`*(u64 *)(r10 -${counter(loop)}) = ${ROUNDS}`);
    if (this.#callee !== undefined) this.#writeCall(this.#callee);
    for (; this.#block < this.#blocks; this.#block++) this.#writeBlock();
    this.#emit(`${this.#label(this.#blocks)}:`);
    this.#setNumber(0);
    for (const register of this.#numbers()) {
      if (register !== 0) this.#emit('r0 *= 31', `r0 += r${register}`);
    }
    this.#emit('exit');
    return this.#lines.join('\n');
  }

  #writeBlock(): void {
    this.#emit(`${this.#label(this.#block)}:`);
    // Whoever comes here through a static branch may have lost it.
    this.#setNumber(0);
    for (let left = 1 + this.#below(8); left > 0; left--) this.#writeStep();
    if (this.#block > 0 && this.#block <= LOOPS) {
      this.#writeLoop(this.#block - 1);
      return;
    }
    if (this.#below(2) === 0) this.#writeSite(this.#laterLabel());
    else this.#writeBranch();
    // A static branch never goes to what follows it.
    this.#writeAlu();
  }

  #writeStep(): void {
    const kind = this.#below(12);
    if (kind < 5) this.#writeAlu();
    else if (kind < 8) this.#writeAccess();
    else if (kind === 8) this.#writeAtomic();
    else if (kind === 9) this.#writeSite(this.#laterLabel());
    else if (kind === 10) this.#writeBranch();
    else this.#writeCall(this.#below(3) > 0 ? this.#callee : undefined);
  }

  #writeAlu(): void {
    const dst = this.#number();
    const [letter, bits] = this.#below(2) === 0 ? (['r', 64] as const) : (['w', 32] as const);
    switch (this.#below(8)) {
      case 0:
        this.#emit(`${letter}${dst} = -${letter}${dst}`);
        return;
      case 1: {
        const width = this.#pick(['s8', 's16', ...(bits === 64 ? ['s32'] : [])]);
        this.#emit(`${letter}${dst} = (${width})${letter}${this.#number()}`);
        return;
      }
      case 2:
        this.#emit(
          `r${dst} = ${this.#pick(['le', 'be', 'bswap'])}${this.#pick([16, 32, 64])} r${dst}`,
        );
        return;
      case 3:
        this.#setNumber(dst);
        return;
      default: {
        const sign = this.#pick(this.#below(5) === 0 ? SIGNED_SIGNS : ALU_SIGNS);
        const number = this.#below(2) === 0 ? `${this.#operand(sign, bits)}` : undefined;
        this.#emit(`${letter}${dst} ${sign} ${number ?? `${letter}${this.#number()}`}`);
      }
    }
  }

  #operand(sign: string, bits: number): number {
    const number = this.#int();
    if (!this.#verifiable) return number;
    if (/<<|>>/.test(sign)) return number & (bits - 1);
    return number === 0 && /[/%]/.test(sign) ? 1 : number;
  }

  /** A load or store on memory or stack, through any register. */
  #writeAccess(): void {
    const bytes = this.#pick(SIZES);
    const { place, base } = this.#place(bytes, false);
    const value = this.#number(base);
    switch (this.#below(4)) {
      case 0: {
        const sign = bytes === 8 ? 'u' : 's';
        this.#emit(`r${value} = *(${sign}${bytes * 8} *)${place}`);
        break;
      }
      case 1:
        this.#emit(`r${value} = *(u${bytes * 8} *)${place}`);
        break;
      case 2:
        this.#emit(`*(u${bytes * 8} *)${place} = r${value}`);
        break;
      default:
        this.#emit(`*(u${bytes * 8} *)${place} = ${this.#int()}`);
    }
    if (base !== undefined) this.#setNumber(base);
  }

  #writeAtomic(): void {
    const bytes = this.#pick([4, 8] as const);
    const { place, base } = this.#place(bytes, true);
    const typed = `(u${bytes * 8} *)${place}`;
    const wide = bytes === 8 ? '64' : '';
    const value = this.#number(base);
    const kind = this.#below(4);
    if (kind === 0) this.#emit(`lock *${typed} ${this.#pick(['+=', '|=', '&=', '^='])} r${value}`);
    else if (kind === 1) this.#emit(`r${value} = atomic${wide}_xchg(${typed}, r${value})`);
    else if (kind === 2 && base !== 0)
      this.#emit(`r0 = atomic${wide}_cmpxchg(${typed}, r0, r${value})`);
    else {
      const name = this.#pick(['add', 'or', 'and', 'xor']);
      this.#emit(`r${value} = atomic${wide}_fetch_${name}(${typed}, r${value})`);
    }
    if (base !== undefined) this.#setNumber(base);
  }

  /** `base`: a register that holds an address now, and must get a number again. */
  #place(
    bytes: number,
    aligned: boolean,
  ): { readonly place: string; readonly base: number | undefined } {
    const onStack = this.#below(2) === 0;
    // The stack is accessed by whole slots of the size, as the verifier wants it.
    const step = aligned || onStack ? bytes : 1;
    const at = step * this.#below(Math.floor((STACK_DATA - bytes) / step) + 1);
    const [origin, offset] = onStack ? [10, at - STACK_DATA] : [this.#pointer, at];
    if (this.#below(2) === 0) return { place: `(r${origin} ${signed(offset)})`, base: undefined };
    const base = this.#number();
    const moved = this.#below(300) - 150;
    this.#emit(`r${base} = r${origin}`, `r${base} += ${offset - moved}`);
    return { place: `(r${base} ${signed(moved)})`, base };
  }

  #writeBranch(): void {
    const letter = this.#pick(['r', 'w']);
    const operand = this.#below(2) === 0 ? `${letter}${this.#number()}` : this.#int();
    const test = `${letter}${this.#number()} ${this.#pick(COMPARISONS)} ${operand}`;
    this.#emit(`if ${test} goto ${this.#laterLabel()}`);
  }

  #writeSite(target: string): void {
    const key = `0x${this.#below(0x7fff_ffff).toString(16)} ll`;
    const sign = this.#pick(['==', '!=']);
    switch (this.#below(4)) {
      case 0:
        this.#emit(`${this.#pick(['nop_or_goto', 'goto_or_nop'])} ${target}`);
        return;
      case 1:
        this.#emit(`${this.#pick(['nop_or_gotol', 'gotol_or_nop'])} ${target}`);
        return;
      case 2: {
        const register = this.#pick(['r0', 'r11']);
        this.#emit(`${register} = ${key}`, `if ${register} ${sign} ${register} goto ${target}`);
        this.#setNumber(0);
        return;
      }
      default:
        this.#emit(`r0 = ${key}`, 'r0 = *(u32 *)(r0 +0)', `if r0 ${sign} 0 goto ${target}`);
        this.#setNumber(0);
    }
  }

  /** Back to the start of this block or the one before, at most as often as the counter says in all. */
  #writeLoop(loop: number): void {
    const place = `*(u64 *)(r10 -${counter(loop)})`;
    const register = this.#number();
    this.#emit(
      `r${register} = ${place}`,
      `if r${register} == 0 goto ${this.#label(this.#block + 1)}`,
    );
    this.#emit(`r${register} += -1`, `${place} = r${register}`);
    const back = this.#label(this.#block - this.#below(2));
    if (this.#below(2) === 0) this.#writeSite(back);
    else this.#emit(`${this.#pick(['goto', 'gotol'])} ${back}`);
  }

  /** The memory goes to the callee; r1 to r5 are lost, as is the result of a helper. */
  #writeCall(callee: number | undefined): void {
    if (callee !== undefined) this.#emit(`r1 = r${this.#pointer}`, `call f${callee}`);
    else {
      this.#emit(`call ${this.#pick([5, 7])}`);
      this.#setNumber(0);
    }
    for (let register = 1; register <= 5; register++) this.#setNumber(register);
  }

  #setNumber(register: number): void {
    if (this.#below(4) > 0) this.#emit(`r${register} = ${this.#int()}`);
    else this.#emit(`r${register} = 0x${this.#word().toString(16)} ll`);
  }

  /** Small, at the edges, or anything of 32 bits. */
  #int(): number {
    const kind = this.#below(4);
    if (kind === 0) return this.#below(5) - 2;
    if (kind === 1)
      return this.#pick([0x7fffffff, -0x80000000, 31, 32, 63, 64, 127, 128, -128, -129]);
    if (kind === 2) return this.#below(0x10000) - 0x8000;
    return this.#below(0x7fff_ffff) * (this.#below(2) === 0 ? 1 : -1);
  }

  #word(): bigint {
    const high = BigInt(this.#below(0xffff_ffff));
    return this.#pick([
      (high << 32n) | BigInt(this.#below(0xffff_ffff)),
      1n << 63n,
      (1n << 63n) - 1n,
      high << 32n,
      high,
    ]);
  }

  #numbers(): readonly number[] {
    return [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].filter((register) => register !== this.#pointer);
  }

  #number(except?: number): number {
    return this.#pick(this.#numbers().filter((register) => register !== except));
  }

  #laterLabel(): string {
    return this.#label(this.#block + 1 + this.#below(this.#blocks - this.#block));
  }

  #label(block: number): string {
    return `${this.#name}_${block}`;
  }

  #pick<T>(choices: readonly T[]): T {
    const choice = choices[this.#below(choices.length)];
    if (choice === undefined) throw new RangeError('nothing to choose from');
    return choice;
  }

  #emit(...lines: readonly string[]): void {
    this.#lines.push(...lines);
  }
}

function counter(loop: number): number {
  return STACK_DATA + 8 * (loop + 1);
}

function signed(offset: number): string {
  return offset < 0 ? `${offset}` : `+${offset}`;
}

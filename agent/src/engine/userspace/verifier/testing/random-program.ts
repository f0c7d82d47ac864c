import type { MapInput } from '../input.ts';

/** A whole number from 0 up to `below`. */
export type Random = (below: number) => number;

/** The maps of random programs; map 0 is the only one whose value's address is known. */
export const MAPS: readonly MapInput[] = [
  { name: 'global', type: 'array', keySize: 4, valueSize: 64, maxEntries: 1 },
  { name: 'table', type: 'hash', keySize: 4, valueSize: 24, maxEntries: 16 },
  {
    name: 'constants',
    type: 'array',
    keySize: 4,
    valueSize: 32,
    maxEntries: 1,
    frozen: new Uint8Array(32),
  },
  { name: 'counters', type: 'percpu-array', keySize: 4, valueSize: 16, maxEntries: 4 },
  { name: 'events', type: 'ringbuf', keySize: 0, valueSize: 0, maxEntries: 4096 },
];

/**
 * Assembly of an XDP program near the border of what is safe: most of what it does is right, and some of it is just
 * not. Blocks are nested, registers mostly hold what the generator believes.
 */
export function randomProgram(random: Random): string {
  return new Generator(random).program();
}

type Kind = 'none' | 'scalar' | 'bounded' | 'packet' | 'stack' | 'value' | 'maybe-value' | 'global';

const SIZES = [1, 2, 4, 8] as const;
const COMPARISONS = ['==', '!=', '>', '>=', '<', '<=', 's>', 's>=', 's<', 's<=', '&'] as const;
const OPERATORS = ['+=', '-=', '*=', '|=', '&=', '^=', '<<=', '>>=', 's>>=', '/=', '%='] as const;
const NEAR = [0, 1, 2, 3, 4, 7, 8, 12, 14, 15, 16, 17, 20, 24, 31, 32, 33, 60, 63, 64, 65];
const EXTREME = ['255', '256', '65535', '2147483647', '-1', '-2', '-128', '-2147483648', '4096'];

class Generator {
  readonly #random: Random;
  readonly #lines: string[] = [];
  /** r0 to r9; r6 is kept for the context. */
  #kinds: Kind[] = ['none', 'none', 'none', 'none', 'none', 'none', 'none', 'none', 'none', 'none'];
  #label = 0;
  #usesSubprogram = false;
  /** Counters of the loops around. */
  readonly #counters: number[] = [];
  /** Bytes of packet that were proven last. */
  #proven = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  program(): string {
    this.#emit('r6 = r1');
    this.#kinds[1] = 'none';
    if (this.#chance(3, 4)) this.#provePacket();
    this.#block(2, 6 + this.#random(14));
    if (this.#chance(1, 2) && this.#kinds[0] !== 'none') this.#emit('r0 &= 3');
    else this.#emit(`r0 = ${this.#random(4)}`);
    this.#emit('exit');
    if (this.#usesSubprogram) this.#subprogram();
    return this.#lines.join('\n');
  }

  #subprogram(): void {
    this.#lines.push('sub:');
    this.#kinds = this.#kinds.map(() => 'none');
    this.#kinds[1] = 'scalar';
    this.#kinds[6] = 'scalar';
    this.#emit('r6 = r1');
    this.#usesSubprogram = false;
    if (this.#chance(1, 2)) {
      // The caller's pointer, when it has given one.
      const offset = this.#chance(1, 20) ? this.#near(8) : 0;
      this.#emit(
        this.#chance(1, 2) ? `r0 = *(u64 *)(r2 +${offset})` : `*(u32 *)(r2 +${offset}) = 7`,
      );
    }
    this.#plainBlock(1, 2 + this.#random(6));
    this.#emit(this.#chance(4, 5) ? 'r0 = r6' : 'r0 = 1');
    this.#emit('exit');
  }

  #block(depth: number, statements: number): void {
    for (let n = 0; n < statements; n++) this.#statement(depth);
  }

  /** Only numbers, stack and branches: without the context. */
  #plainBlock(depth: number, statements: number): void {
    for (let n = 0; n < statements; n++) {
      const pick = this.#random(6);
      if (pick === 0) this.#stack();
      else if (pick === 1 && depth > 0) this.#branch(() => this.#plainBlock(depth - 1, 2));
      else if (pick === 2) this.#bound(this.#scalar());
      else this.#arithmetic();
    }
  }

  #statement(depth: number): void {
    const pick = this.#random(depth > 0 ? 24 : 18);
    if (pick < 4) this.#arithmetic();
    else if (pick < 6) this.#stack();
    else if (pick === 6) this.#bound(this.#scalar());
    else if (pick === 7) this.#provePacket();
    else if (pick === 8) this.#usePacket();
    else if (pick === 9) this.#variablePacket();
    else if (pick === 10) this.#lookup();
    else if (pick === 11) this.#global();
    else if (pick === 12) this.#variableValue();
    else if (pick === 13) this.#variableStack();
    else if (pick === 14 && !this.#counters.includes(5)) this.#helper();
    else if (pick === 15) this.#move();
    else if (pick === 16) this.#atomic();
    else if (pick === 17) this.#context();
    else if (pick < 21) this.#branch(() => this.#block(depth - 1, 1 + this.#random(3)));
    else if (pick === 21 && this.#counters.length === 0) this.#loop(depth);
    else if (pick === 21) this.#helper();
    else if (pick === 22) this.#ring(depth);
    else this.#call();
  }

  #arithmetic(): void {
    const dst = this.#scalar();
    const w = this.#chance(1, 3) ? 'w' : 'r';
    const operator = this.#pick(OPERATORS);
    const isShift = operator.includes('<<') || operator.includes('>>');
    const pick = this.#random(10);
    if (pick === 0) this.#emit(`${w}${dst} = -${w}${dst}`);
    else if (pick === 1)
      this.#emit(`r${dst} = ${this.#pick(['be16', 'be32', 'le16', 'bswap64'])} r${dst}`);
    else if (pick === 2) this.#emit(`r${dst} = (s${this.#pick([8, 16, 32])})r${this.#scalar()}`);
    else if (pick < 5) this.#emit(`${w}${dst} ${operator} ${w}${this.#scalar()}`);
    else if (isShift) this.#emit(`${w}${dst} ${operator} ${this.#random(w === 'w' ? 32 : 64)}`);
    else this.#emit(`${w}${dst} ${operator} ${this.#constant()}`);
    this.#kinds[dst] = 'scalar';
  }

  #move(): void {
    const src = this.#any();
    const dst = this.#target();
    const w = this.#chance(1, 5) ? 'w' : 'r';
    this.#emit(`${w}${dst} = ${w}${src}`);
    this.#kinds[dst] = w === 'w' ? 'scalar' : (this.#kinds[src] ?? 'scalar');
  }

  /** A number below something, by a mask or by a comparison. */
  #bound(register: number): void {
    const limit = this.#near(32);
    if (this.#chance(1, 2)) {
      this.#emit(`${this.#chance(1, 3) ? 'w' : 'r'}${register} &= ${limit}`);
    } else {
      const end = this.#newLabel();
      const w = this.#chance(1, 3) ? 'w' : 'r';
      const op = this.#pick(['<', '<=', 's<', '==', 's<=']);
      this.#emit(`if ${w}${register} ${op} ${limit} goto ${end}`);
      if (this.#chance(1, 2)) this.#emit(`${w}${register} = ${this.#random(limit + 2)}`);
      else this.#leave();
      this.#lines.push(`${end}:`);
      if (op.startsWith('s') && this.#chance(2, 3)) {
        const positive = this.#newLabel();
        this.#emit(`if ${w}${register} s>= 0 goto ${positive}`);
        this.#leave();
        this.#lines.push(`${positive}:`);
      }
    }
    this.#kinds[register] = 'bounded';
  }

  #leave(): void {
    this.#emit('r0 = 1');
    this.#emit('exit');
  }

  #provePacket(): void {
    const [data, end] = [7, 8];
    const bytes = this.#near(40);
    this.#emit(`r${data} = *(u32 *)(r6 +0)`);
    this.#emit(`r${end} = *(u32 *)(r6 +4)`);
    this.#emit(`r3 = r${data}`);
    this.#emit(`r3 += ${bytes}`);
    const good = this.#newLabel();
    const test = this.#pick(['r3 <= r8', 'r8 >= r3', 'r3 < r8', 'r8 > r3', 'r3 > r8', 'r8 < r3']);
    this.#emit(`if ${test} goto ${good}`);
    if (test === 'r3 > r8' || test === 'r8 < r3') {
      this.#emit(`r5 = *(u8 *)(r7 +${Math.max(0, bytes - 1)})`);
      this.#emit('r0 = r5');
      this.#emit('exit');
      this.#lines.push(`${good}:`);
      this.#leaveOrOn();
      return;
    }
    this.#leave();
    this.#lines.push(`${good}:`);
    this.#kinds[7] = 'packet';
    this.#kinds[8] = 'none';
    this.#kinds[3] = 'none';
    this.#proven = bytes;
  }

  /** The packet is too short here: nothing more of it. */
  #leaveOrOn(): void {
    this.#kinds[7] = 'none';
    this.#kinds[8] = 'none';
    this.#kinds[3] = 'none';
    this.#proven = 0;
  }

  #usePacket(): void {
    if (this.#kinds[7] !== 'packet') return;
    const size = this.#pick(SIZES);
    const offset = Math.max(0, this.#proven - size + (this.#chance(1, 25) ? 1 : -this.#random(3)));
    if (this.#chance(1, 4)) {
      this.#emit(`*(u${size * 8} *)(r7 +${offset}) = ${this.#random(100)}`);
      return;
    }
    const dst = this.#target();
    const sign = size < 8 && this.#chance(1, 5) ? 's' : 'u';
    this.#emit(`r${dst} = *(${sign}${size * 8} *)(r7 +${offset})`);
    this.#kinds[dst] = 'scalar';
  }

  #variablePacket(): void {
    if (this.#kinds[7] !== 'packet') return;
    const index = this.#scalar();
    if (this.#chance(29, 30)) this.#bound(index);
    this.#emit('r4 = r7');
    this.#emit(`r4 += r${index}`);
    this.#emit('r3 = r4');
    const bytes = 1 + this.#random(16);
    this.#emit(`r3 += ${bytes}`);
    this.#emit('r5 = *(u32 *)(r6 +4)');
    const good = this.#newLabel();
    if (this.#chance(24, 25)) {
      this.#emit(`if r3 <= r5 goto ${good}`);
      this.#leave();
      this.#lines.push(`${good}:`);
    }
    const size = this.#pick(SIZES);
    const dst = this.#target();
    const offset = Math.max(0, bytes - size + (this.#chance(1, 25) ? 1 : 0));
    this.#emit(`r${dst} = *(u${size * 8} *)(r4 +${offset})`);
    this.#forget(3, 4, 5);
    this.#kinds[dst] = 'scalar';
  }

  #stack(): void {
    const size = this.#pick(SIZES);
    const aligned = -8 * (1 + this.#random(8));
    const offset = this.#chance(2, 3) ? aligned : aligned + size * this.#random(8 / size);
    switch (this.#random(5)) {
      case 0:
        this.#emit(
          `*(u${size * 8} *)(r10 ${offset}) = ${this.#chance(1, 2) ? 0 : this.#constant()}`,
        );
        return;
      case 1: {
        const src = this.#any();
        const pointer = this.#kinds[src] !== 'scalar' && this.#kinds[src] !== 'bounded';
        const bytes = pointer && this.#chance(24, 25) ? 8 : size;
        this.#emit(`*(u${bytes * 8} *)(r10 ${bytes === 8 ? aligned : offset}) = r${src}`);
        return;
      }
      case 2: {
        const src = this.#scalar();
        this.#emit(`*(u${size * 8} *)(r10 ${offset}) = r${src}`);
        return;
      }
      default: {
        const dst = this.#target();
        const sign = size < 8 && this.#chance(1, 5) ? 's' : 'u';
        this.#emit(`r${dst} = *(${sign}${size * 8} *)(r10 ${offset})`);
        this.#kinds[dst] = 'scalar';
      }
    }
  }

  #variableStack(): void {
    const index = this.#scalar();
    if (this.#chance(19, 20)) this.#bound(index);
    const size = this.#pick(SIZES);
    if (size > 1 && this.#chance(14, 15)) this.#emit(`r${index} &= ${64 - size}`);
    this.#emit('r4 = r10');
    this.#emit(`r4 += r${index}`);
    const offset = -8 * (this.#chance(1, 8) ? 4 : 8);
    if (this.#chance(1, 2)) this.#emit(`*(u8 *)(r4 ${offset}) = ${this.#random(2)}`);
    else {
      const dst = this.#target();
      this.#emit(`r${dst} = *(u${size * 8} *)(r4 ${offset})`);
      this.#kinds[dst] = 'scalar';
    }
    this.#forget(4);
  }

  #lookup(): void {
    const key = -4 * (1 + this.#random(4));
    this.#emit(`*(u32 *)(r10 ${key}) = ${this.#random(3)}`);
    this.#emit('r2 = r10');
    this.#emit(`r2 += ${key}`);
    this.#emit(`r1 = map[fd:${this.#pick([1, 1, 3])}] ll`);
    this.#emit('call 1');
    this.#forget(1, 2, 3, 4, 5);
    this.#kinds[0] = 'maybe-value';
    const kept = this.#pick([0, 9]);
    if (kept === 9) {
      this.#emit('r9 = r0');
      this.#kinds[9] = 'maybe-value';
    }
    if (this.#chance(29, 30)) {
      const found = this.#newLabel();
      this.#emit(`if r${this.#pick([0, kept])} != 0 goto ${found}`);
      this.#leave();
      this.#lines.push(`${found}:`);
    }
    this.#kinds[kept] = 'value';
    this.#useValue(kept);
  }

  #useValue(register: number): void {
    const size = this.#pick(SIZES);
    const offset = this.#chance(1, 20) ? this.#near(24) : this.#random(17 - size);
    if (this.#chance(1, 2)) {
      this.#emit(`*(u${size * 8} *)(r${register} +${offset}) = 1`);
      return;
    }
    const dst = this.#target();
    this.#emit(`r${dst} = *(u${size * 8} *)(r${register} +${offset})`);
    this.#kinds[dst] = 'scalar';
  }

  #global(): void {
    const dst = this.#target();
    const [map, bytes] = this.#chance(1, 4) ? [2, 32] : [0, 64];
    this.#emit(`r${dst} = map[fd:${map}][0]+${this.#random(bytes)} ll`);
    if (this.#chance(1, 3)) {
      this.#kinds[dst] = 'global';
      return;
    }
    this.#emit(`r${dst} = map[fd:${map}][0]+0 ll`);
    const size = this.#pick(SIZES);
    const offset = this.#chance(1, 30) ? bytes - size + 1 : this.#random(bytes - size + 1);
    this.#emit(`r${dst} = *(u${size * 8} *)(r${dst} +${offset})`);
    this.#kinds[dst] = 'scalar';
  }

  #variableValue(): void {
    const index = this.#scalar();
    if (this.#chance(29, 30)) this.#bound(index);
    const size = this.#pick(SIZES);
    this.#emit('r4 = map[fd:0][0]+0 ll');
    if (this.#chance(1, 12)) this.#emit(`r4 += ${this.#near(20)}`);
    this.#emit(`r4 ${this.#chance(1, 40) ? '-=' : '+='} r${index}`);
    if (this.#chance(1, 2)) this.#emit(`*(u${size * 8} *)(r4 +${this.#random(24)}) = 3`);
    else {
      const dst = this.#target();
      this.#emit(`r${dst} = *(u${size * 8} *)(r4 +${this.#random(24)})`);
      this.#kinds[dst] = 'scalar';
    }
    this.#forget(4);
  }

  #helper(): void {
    this.#emit(`call ${this.#pick([5, 7, 8])}`);
    this.#forget(1, 2, 3, 4, 5);
    this.#kinds[0] = 'scalar';
    const dst = this.#target();
    this.#emit(`r${dst} = r0`);
    this.#kinds[dst] = 'scalar';
  }

  #atomic(): void {
    const src = this.#scalar();
    const size = this.#pick([32, 64]);
    const offset = -8 * (1 + this.#random(8)) + (this.#chance(1, 30) ? 4 : 0);
    const place = `(u${size} *)(r10 ${offset})`;
    const name = size === 64 ? 'atomic64' : 'atomic';
    const form = this.#random(4);
    if (form === 0) this.#emit(`lock *${place} += r${src}`);
    else if (form === 1) this.#emit(`r${src} = ${name}_fetch_add(${place}, r${src})`);
    else if (form === 2) this.#emit(`r${src} = ${name}_xchg(${place}, r${src})`);
    else if (this.#kinds[0] === 'scalar') this.#emit(`r0 = ${name}_cmpxchg(${place}, r0, r${src})`);
    this.#kinds[src] = 'scalar';
  }

  #context(): void {
    const dst = this.#target();
    const offset = this.#pick([12, 16, 12, 16, 12, 16, 12, 16, 12, 16, 12, 16, 12, 16, 0, 20, 2]);
    this.#emit(`r${dst} = *(u32 *)(r6 +${offset})`);
    this.#kinds[dst] = offset === 0 ? 'packet' : 'scalar';
    if (offset === 0) this.#kinds[dst] = 'none';
  }

  #branch(body: () => void): void {
    const left = this.#scalar();
    const w = this.#chance(1, 3) ? 'w' : 'r';
    const right = this.#chance(1, 3) ? `${w}${this.#scalar()}` : this.#constant();
    const end = this.#newLabel();
    this.#emit(`if ${w}${left} ${this.#pick(COMPARISONS)} ${right} goto ${end}`);
    const before = [...this.#kinds];
    const proven = this.#proven;
    body();
    if (this.#chance(1, 3)) {
      const after = [...this.#kinds];
      const join = this.#newLabel();
      this.#emit(`goto ${join}`);
      this.#lines.push(`${end}:`);
      this.#kinds = [...before];
      this.#proven = proven;
      body();
      this.#lines.push(`${join}:`);
      this.#join(after);
    } else {
      this.#lines.push(`${end}:`);
      this.#join(before);
    }
    this.#proven = Math.min(this.#proven, proven);
  }

  #join(other: readonly Kind[]): void {
    this.#kinds = this.#kinds.map((kind, n) => {
      const both = other[n] ?? 'none';
      if (kind === both) return kind;
      if (isNumber(kind) && isNumber(both)) return 'scalar';
      return 'none';
    });
  }

  #loop(depth: number): void {
    const counter = this.#pick([9, 5].filter((each) => !this.#counters.includes(each)));
    const turns = 1 + this.#random(this.#chance(1, 10) ? 40 : 8);
    this.#emit(`r${counter} = 0`);
    this.#kinds[counter] = 'none';
    const start = this.#newLabel();
    const before = [...this.#kinds];
    this.#lines.push(`${start}:`);
    if (this.#chance(39, 40)) this.#counters.push(counter);
    if (this.#chance(1, 2)) this.#block(depth - 1, 1);
    else {
      this.#emit('r4 = map[fd:0][0]+0 ll');
      this.#emit(`r4 += r${counter}`);
      this.#emit(`*(u8 *)(r4 +${this.#near(40)}) = 1`);
      this.#forget(4);
    }
    this.#emit(`r${counter} += ${this.#chance(1, 25) ? 0 : 1}`);
    const test = this.#pick(['<', '!=', 's<', '<=']);
    this.#emit(`if r${counter} ${test} ${turns} goto ${start}`);
    this.#counters.pop();
    this.#join(before);
    this.#kinds[counter] = 'none';
  }

  #ring(depth: number): void {
    this.#emit('r1 = map[fd:4] ll');
    this.#emit(`r2 = ${8 * (1 + this.#random(4))}`);
    this.#emit('r3 = 0');
    this.#emit('call 131');
    this.#forget(1, 2, 3, 4, 5);
    const none = this.#newLabel();
    this.#emit(`if r0 == 0 goto ${none}`);
    this.#emit('r9 = r0');
    this.#emit(`*(u64 *)(r9 +${this.#chance(1, 20) ? this.#near(24) : 0}) = 5`);
    this.#kinds[0] = 'none';
    this.#kinds[9] = 'none';
    if (depth > 1 && this.#chance(1, 4)) this.#emit('r8 = r9');
    if (this.#chance(24, 25)) {
      this.#emit('r1 = r9');
      this.#emit('r2 = 0');
      this.#emit(`call ${this.#pick([132, 133])}`);
    }
    this.#lines.push(`${none}:`);
    this.#forget(0, 1, 2, 3, 4, 5, 8, 9);
  }

  #call(): void {
    this.#usesSubprogram = true;
    this.#emit(`r1 = r${this.#scalar()}`);
    this.#emit('r2 = r10');
    this.#emit(`r2 += ${-8 * (1 + this.#random(4))}`);
    this.#emit('call sub');
    this.#forget(1, 2, 3, 4, 5);
    this.#kinds[0] = 'scalar';
  }

  #forget(...registers: readonly number[]): void {
    for (const register of registers) this.#kinds[register] = 'none';
  }

  /** A register that holds a number; makes one when there is none. */
  #scalar(): number {
    const found = this.#kinds.flatMap((kind, n) => (isNumber(kind) ? [n] : []));
    if (found.length > 0 && this.#chance(9, 10)) return this.#pick(found);
    const dst = this.#target();
    if (this.#chance(1, 4)) this.#emit(`r${dst} = ${this.#constant()}`);
    else {
      this.#emit(`r${dst} = map[fd:0][0]+0 ll`);
      const size = this.#pick(SIZES);
      const sign = size < 8 && this.#chance(1, 4) ? 's' : 'u';
      this.#emit(`r${dst} = *(${sign}${size * 8} *)(r${dst} +${8 * this.#random(8)})`);
    }
    this.#kinds[dst] = 'scalar';
    return dst;
  }

  #any(): number {
    const found = this.#kinds.flatMap((kind, n) => (kind === 'none' ? [] : [n]));
    return found.length > 0 ? this.#pick(found) : this.#scalar();
  }

  /** A register to overwrite; neither the context nor, mostly, the packet. */
  #target(): number {
    return this.#pick([0, 1, 2, 3, 4, 5, 9].filter((each) => !this.#counters.includes(each)));
  }

  #constant(): string {
    const pick = this.#random(4);
    if (pick === 0) return this.#pick(EXTREME);
    return `${pick === 1 ? -this.#random(70) : this.#pick(NEAR)}`;
  }

  /** Mostly at `limit` or just beside it. */
  #near(limit: number): number {
    return this.#chance(1, 2) ? Math.max(0, limit - 2 + this.#random(4)) : this.#random(limit + 2);
  }

  #newLabel(): string {
    this.#label += 1;
    return `L${this.#label}`;
  }

  #emit(line: string): void {
    this.#lines.push(line.replace(/\+-/, '-'));
  }

  #chance(of: number, total: number): boolean {
    return this.#random(total) < of;
  }

  #pick<T>(list: readonly T[]): T {
    const found = list[this.#random(list.length)];
    if (found === undefined) throw new Error('nothing to pick from');
    return found;
  }
}

const isNumber = (kind: Kind): boolean => kind === 'scalar' || kind === 'bounded';

/** A whole number from 0 up to `below`. */
export type Random = (below: number) => number;

/** What a register is believed to hold. */
type Kind = 'none' | 'scalar' | 'bounded' | 'packet' | 'stack' | 'value' | 'maybe-value' | 'global';

/** Bytes of loads and stores. */
export const SIZES = [1, 2, 4, 8] as const;
const NEAR = [0, 1, 2, 3, 4, 7, 8, 12, 14, 15, 16, 17, 20, 24, 31, 32, 33, 60, 63, 64, 65];
const EXTREME = ['255', '256', '65535', '2147483647', '-1', '-2', '-128', '-2147483648', '4096'];

/** The lines of a random program so far, and what the generator believes of its registers. */
export class Draft {
  readonly random: Random;
  readonly lines: string[] = [];
  /** r0 to r9; r6 is kept for the context. */
  kinds: Kind[] = new Array<Kind>(10).fill('none');
  usesSubprogram = false;
  /** Counters of the loops around. */
  readonly counters: number[] = [];
  /** Bytes of packet that were proven last. */
  proven = 0;
  #label = 0;

  constructor(random: Random) {
    this.random = random;
  }

  /** Ends the program here. */
  leave(): void {
    this.emit('r0 = 1');
    this.emit('exit');
  }

  forget(...registers: readonly number[]): void {
    for (const register of registers) this.kinds[register] = 'none';
  }

  /** What holds where two ways meet. */
  join(other: readonly Kind[]): void {
    this.kinds = this.kinds.map((kind, n) => {
      const both = other[n] ?? 'none';
      if (kind === both) return kind;
      if (isNumber(kind) && isNumber(both)) return 'scalar';
      return 'none';
    });
  }

  /** A register that holds a number; makes one when there is none. */
  scalar(): number {
    const found = this.kinds.flatMap((kind, n) => (isNumber(kind) ? [n] : []));
    if (found.length > 0 && this.chance(9, 10)) return this.pick(found);
    const dst = this.target();
    if (this.chance(1, 4)) this.emit(`r${dst} = ${this.constant()}`);
    else {
      this.emit(`r${dst} = map[fd:0][0]+0 ll`);
      const size = this.pick(SIZES);
      const sign = size < 8 && this.chance(1, 4) ? 's' : 'u';
      this.emit(`r${dst} = *(${sign}${size * 8} *)(r${dst} +${8 * this.random(8)})`);
    }
    this.kinds[dst] = 'scalar';
    return dst;
  }

  any(): number {
    const found = this.kinds.flatMap((kind, n) => (kind === 'none' ? [] : [n]));
    return found.length > 0 ? this.pick(found) : this.scalar();
  }

  /** A register to overwrite; neither the context nor, mostly, the packet. */
  target(): number {
    return this.pick([0, 1, 2, 3, 4, 5, 9].filter((each) => !this.counters.includes(each)));
  }

  constant(): string {
    const pick = this.random(4);
    if (pick === 0) return this.pick(EXTREME);
    return `${pick === 1 ? -this.random(70) : this.pick(NEAR)}`;
  }

  /** Mostly at `limit` or just beside it. */
  near(limit: number): number {
    return this.chance(1, 2) ? Math.max(0, limit - 2 + this.random(4)) : this.random(limit + 2);
  }

  newLabel(): string {
    this.#label += 1;
    return `L${this.#label}`;
  }

  emit(line: string): void {
    this.lines.push(line.replace(/\+-/, '-'));
  }

  chance(of: number, total: number): boolean {
    return this.random(total) < of;
  }

  pick<T>(list: readonly T[]): T {
    const found = list[this.random(list.length)];
    if (found === undefined) throw new Error('nothing to pick from');
    return found;
  }
}

const isNumber = (kind: Kind): boolean => kind === 'scalar' || kind === 'bounded';

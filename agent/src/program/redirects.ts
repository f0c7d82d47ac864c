import { NONE } from './flow.ts';

/**
 * Instructions that are to be plain edges to others: what is removed goes on to what follows it, a
 * goto to its target. A ring of such edges has no end; one of it stays as a goto to itself.
 */
export class Redirects {
  readonly #to: Int32Array;
  readonly #rings = new Set<number>();

  constructor(length: number) {
    this.#to = new Int32Array(length).fill(NONE);
  }

  set(position: number, to: number): void {
    this.#to[position] = to;
  }

  has(position: number): boolean {
    return (this.#to[position] ?? NONE) !== NONE;
  }

  /** Whether this is where a ring ends: control stays here for ever. */
  isRing(position: number): boolean {
    return this.#rings.has(position);
  }

  /** Where an edge to `position` ends; NONE for no edge. */
  resolve(position: number): number {
    if ((this.#to[position] ?? NONE) === NONE) return position;
    const path: number[] = [];
    let at = position;
    for (let to = this.#to[at] ?? NONE; to !== NONE; to = this.#to[at] ?? NONE) {
      path.push(at);
      this.#to[at] = NONE;
      at = to;
    }
    // The path was taken apart on the way, so coming back to it ends there too.
    const isRing = path.includes(at);
    if (isRing) this.#rings.add(at);
    for (const passed of path) if (passed !== at) this.#to[passed] = at;
    return at;
  }
}

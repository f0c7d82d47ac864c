import type { Scalar } from './scalar.ts';

/**
 * Remembers what was computed of two operands lately. Scalars never change and states share them, so that the same
 * two objects come again and again: at each turn of a loop, and on each path through a function.
 */
export class Memo<T> {
  readonly #entries: (Entry<T> | undefined)[] = new Array<Entry<T> | undefined>(ENTRIES);

  /** `code` tells apart what is computed; it is a small number. */
  find(code: number, a: Scalar, b: Scalar): T | undefined {
    const found = this.#entries[indexOf(code, a, b)];
    if (found === undefined || found.a !== a || found.b !== b || found.code !== code)
      return undefined;
    return found.result;
  }

  keep(code: number, a: Scalar, b: Scalar, result: T): T {
    this.#entries[indexOf(code, a, b)] = { code, a, b, result };
    return result;
  }
}

function indexOf(code: number, a: Scalar, b: Scalar): number {
  const hash = Math.imul(a.serial, 0x9e3779b1) ^ Math.imul(b.serial, 0x85ebca6b) ^ code;
  return (hash ^ (hash >>> 15)) & (ENTRIES - 1);
}

const ENTRIES = 1 << 12;

interface Entry<T> {
  readonly code: number;
  readonly a: Scalar;
  readonly b: Scalar;
  readonly result: T;
}

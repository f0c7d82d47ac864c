import type { ConstantOf } from '../isa/opcodes.ts';

/** An 8-byte number in the code that only the place where it runs can know. */
export type PatchTarget = Outside | { readonly kind: 'code'; readonly offset: number };

type Outside =
  /** Address of a function to call. */
  | { readonly kind: 'helper' | 'kernel-function'; readonly id: number }
  /** Address of a map, which the instruction names by descriptor or by index. */
  | { readonly kind: 'map'; readonly by: 'fd' | 'index'; readonly number: number }
  /** Address of a byte of the first value of an array. */
  | {
      readonly kind: 'map-value';
      readonly by: 'fd' | 'index';
      readonly number: number;
      readonly offset: number;
    }
  /** Address of a kernel variable by its BTF id. */
  | { readonly kind: 'variable'; readonly id: number };

/** The same before functions have offsets. */
export type ConstantTarget = Outside | { readonly kind: 'function'; readonly start: number };

/** What an ld_imm64 at a slot stands for. */
export function constantTarget(
  of: Exclude<ConstantOf, 'number'>,
  at: number,
  low: number,
  high: number,
): ConstantTarget {
  switch (of) {
    case 'map-fd':
      return { kind: 'map', by: 'fd', number: low };
    case 'map-index':
      return { kind: 'map', by: 'index', number: low };
    case 'map-value-fd':
      return { kind: 'map-value', by: 'fd', number: low, offset: high };
    case 'map-value-index':
      return { kind: 'map-value', by: 'index', number: low, offset: high };
    case 'variable':
      return { kind: 'variable', id: low };
    case 'subprogram':
      return { kind: 'function', start: at + 1 + low };
  }
}

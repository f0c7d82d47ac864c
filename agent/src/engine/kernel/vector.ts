import { sitesOfProgram } from '../../object/call-graph.ts';
import type { ObjectSpec } from '../../object/spec.ts';

/** Static key name → value, of the keys that a program can branch on. */
export type KeyVector = ReadonlyMap<string, boolean>;

/** Keys with a site that the program can reach, in the object's order. */
export function keysOfProgram(object: ObjectSpec, program: string): readonly string[] {
  const reached = new Set(sitesOfProgram(object, program).map((site) => site.key));
  return object.keys.map((key) => key.name).filter((name) => reached.has(name));
}

/** What a program's vector is when the unit's keys have these values. */
export function vectorOf(keys: readonly string[], values: ReadonlyMap<string, boolean>): KeyVector {
  return new Map(keys.map((key) => [key, values.get(key) === true]));
}

/**
 * A vector as a name for bpffs: one hex digit for each four keys, the first key in the highest bit.
 * Keys without a value count as off.
 */
export function encodeVector(
  keys: readonly string[],
  values: ReadonlyMap<string, boolean>,
): string {
  const bits = keys.map((key) => (values.get(key) === true ? '1' : '0')).join('');
  const nibbles = bits.match(/.{1,4}/g) ?? ['0'];
  return nibbles.map((nibble) => Number.parseInt(nibble.padEnd(4, '0'), 2).toString(16)).join('');
}

/** The inverse of {@link encodeVector}; `undefined` for a name of another length or alphabet. */
export function decodeVector(keys: readonly string[], name: string): KeyVector | undefined {
  if (!/^[0-9a-f]+$/.test(name) || name.length !== Math.max(1, Math.ceil(keys.length / 4))) {
    return undefined;
  }
  const bits = [...name]
    .map((digit) => Number.parseInt(digit, 16).toString(2).padStart(4, '0'))
    .join('');
  return new Map(keys.map((key, index) => [key, bits[index] === '1']));
}

/** A component of a pin's path has at most 64 characters (helper.proto): more keys than this leave a program on the dynamic tier. */
export const MAX_VECTOR_KEYS = 4 * 64;

/** The vectors one flip away, those of `first` keys before the others. */
export function* neighbours(vector: KeyVector, first: ReadonlySet<string>): Generator<KeyVector> {
  const keys = [...vector.keys()];
  const ordered = [...keys.filter((k) => first.has(k)), ...keys.filter((k) => !first.has(k))];
  for (const key of ordered) yield new Map([...vector, [key, vector.get(key) !== true]]);
}

import { SkeinError } from '../errors.ts';
import { type EnumTable, enumFromWire } from '../wire-enum.ts';

/** Helpers of the conversions of a spec. On the wire a number that is not given is 0, an enum unspecified. */

const UINT32_LIMIT = 2 ** 32;

export function badField(field: string, what: string): SkeinError {
  return new SkeinError('SKEIN_BAD_ROLLOUT', `${field}: ${what}`);
}

/** What fits the wire: encoding would wrap a negative number round to a huge one. */
export function uint32(value: number, field: string): number {
  if (Number.isInteger(value) && value >= 0 && value < UINT32_LIMIT) return value;
  throw badField(field, `${value} is not a whole number within 0..${UINT32_LIMIT - 1}`);
}

export function positive(value: number): number | undefined {
  return value > 0 ? value : undefined;
}

/** @throws SkeinError SKEIN_STORE_CORRUPT naming the field, for a value that is neither known nor unspecified */
export function enumOr<D extends string, W extends number>(
  table: EnumTable<D, W>,
  value: W | 0,
  unspecified: NoInfer<D>,
  field: string,
): D {
  return value === 0 ? unspecified : enumFromWire<D, W>(table, value, field);
}

import { SkeinError } from './errors.ts';

/** Domain string → wire number, one to one. An unknown or unspecified number is an error, never a default. */
export type EnumTable<Domain extends string, Wire extends number> = Readonly<Record<Domain, Wire>>;

export function enumToWire<D extends string, W extends number>(
  table: EnumTable<D, W>,
  value: D,
): W {
  return table[value];
}

/** @throws SkeinError SKEIN_STORE_CORRUPT naming the field */
export function enumFromWire<D extends string, W extends number>(
  table: EnumTable<D, W>,
  value: W,
  field: string,
): D {
  for (const name in table) if (table[name] === value) return name;
  throw new SkeinError('SKEIN_STORE_CORRUPT', `${field}: unknown enum value ${value}`);
}

/**
 * A timestamp that is there and within what Date can hold: an invalid Date would throw when it is next encoded.
 *
 * @throws SkeinError SKEIN_STORE_CORRUPT naming the field
 */
export function validTime(value: Date | undefined, field: string): Date {
  const time = present(value, field);
  if (Number.isNaN(time.getTime())) {
    throw new SkeinError('SKEIN_STORE_CORRUPT', `${field}: out of range`);
  }
  return time;
}

/** @throws SkeinError SKEIN_STORE_CORRUPT naming the field */
export function present<T>(value: T | undefined, field: string): T {
  if (value === undefined) throw new SkeinError('SKEIN_STORE_CORRUPT', `${field}: missing`);
  return value;
}

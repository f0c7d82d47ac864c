/** Where a static key's value is held in the kernel. */
export interface Carriers {
  readonly variable: boolean;
  /** Of the specialised variants in force that were made for a value of the key. */
  readonly vectors: ReadonlySet<boolean>;
}

/** The value, when all agree; they do not after a crash in the middle of a flip, or a write from outside. */
export function agreedValue({ variable, vectors }: Carriers): boolean | undefined {
  return [...vectors].every((value) => value === variable) ? variable : undefined;
}

/** What a flip of other keys leaves in place: what specialised programs do, for they do not read the variable. */
export function standingValue({ variable, vectors }: Carriers): boolean {
  const [value, other] = vectors;
  return value === undefined || other !== undefined ? variable : value;
}

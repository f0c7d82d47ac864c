import type { Variant } from './version.ts';

/** What a program may keep besides its dynamic variant. */
export interface VariantLimits {
  readonly count: number;
  /** JITed bytes. */
  readonly bytes: number;
}

/** A program with its sites gone, for one vector; keyed by encodeVector(). */
export interface SpecialisedVariant extends Variant {
  readonly vector: string;
}

/** The specialised variants of one program, least recently used first. */
export class VariantCache {
  readonly limits: VariantLimits;
  readonly #variants = new Map<string, SpecialisedVariant>();

  constructor(limits: VariantLimits) {
    this.limits = limits;
  }

  /** Without counting as a use. */
  peek(vector: string): SpecialisedVariant | undefined {
    return this.#variants.get(vector);
  }

  use(vector: string): SpecialisedVariant | undefined {
    const variant = this.#variants.get(vector);
    if (variant) {
      this.#variants.delete(vector);
      this.#variants.set(vector, variant);
    }
    return variant;
  }

  byProgramId(id: number): SpecialisedVariant | undefined {
    return this.all.find((variant) => variant.info.id === id);
  }

  get all(): readonly SpecialisedVariant[] {
    return [...this.#variants.values()];
  }

  get bytes(): number {
    return this.all.reduce((sum, variant) => sum + variant.info.jitedBytes, 0);
  }

  /**
   * Adds a variant as the most recently used one.
   *
   * @param inForce kernel id of the program in force, which is never given up
   * @returns what no longer fits, taken out; its pins are the caller's to remove
   */
  add(variant: SpecialisedVariant, inForce: number | undefined): readonly SpecialisedVariant[] {
    this.#variants.delete(variant.vector);
    this.#variants.set(variant.vector, variant);
    const evicted: SpecialisedVariant[] = [];
    for (const candidate of this.all) {
      const fits = this.#variants.size <= this.limits.count && this.bytes <= this.limits.bytes;
      if (fits) break;
      if (candidate.info.id === inForce) continue;
      this.#variants.delete(candidate.vector);
      evicted.push(candidate);
    }
    return evicted;
  }
}

import { SkeinError } from '#common/errors.ts';
import type { Helper } from '../../helper/helper.ts';
import { sitesOfProgram } from '../../object/call-graph.ts';
import type { Attachment, ProgramStatus } from '../engine.ts';
import { type HookSlot, isAttached, setSlot } from './hook-slot.ts';
import { describeHook } from './hooks.ts';
import { adoptProgram, closeHandles, removeDirectory } from './pin-tree.ts';
import { specialisedDirectory } from './pins.ts';
import type { ReadUnit } from './read-unit.ts';
import { type SpecialisedVariant, VariantCache, type VariantLimits } from './variant-cache.ts';
import {
  decodeVector,
  encodeVector,
  type KeyVector,
  keysOfProgram,
  MAX_VECTOR_KEYS,
  neighbours,
  vectorOf,
} from './vector.ts';
import { NO_LOAD_STATISTICS } from './verifier-log.ts';
import type { Variant } from './version.ts';

/** A variant that a slot holds; `vector` is absent for the dynamic one, which reads its keys. */
export interface InForce {
  readonly variant: Variant;
  readonly vector?: KeyVector;
}

/** One attached program of a unit: its variants, and the hook whose slot says which is in force. */
export class KernelProgram {
  readonly attachment: Attachment;
  readonly section: string;
  /** Static keys that it can branch on. */
  readonly keys: readonly string[];
  readonly dynamic: Variant;
  readonly variants: VariantCache;
  /** Absent until attached. */
  hook: HookSlot | undefined;
  /** Why a vector's variant could not be made. */
  readonly failures = new Map<string, string>();
  readonly #directory: string;
  readonly #sites: number;

  constructor(
    unit: ReadUnit,
    version: string,
    attachment: Attachment,
    dynamic: Variant,
    limits: VariantLimits,
  ) {
    const { program } = attachment;
    this.attachment = attachment;
    this.section = sectionOf(unit, program);
    this.keys = keysOfProgram(unit.object, program);
    this.dynamic = dynamic;
    this.variants = new VariantCache(limits);
    this.#directory = specialisedDirectory(version, program);
    this.#sites = sitesOfProgram(unit.object, program).length;
  }

  get name(): string {
    return this.attachment.program;
  }

  /** The directory that the variant for a vector is pinned in. */
  pinOf(vector: string): string {
    return `${this.#directory}/${vector}`;
  }

  vectorName(values: ReadonlyMap<string, boolean>): string {
    return encodeVector(this.keys, values);
  }

  /**
   * Vectors to load a variant for: the one that holds now, then those one flip away, `expected` keys first; as many as
   * the cache has room for. The first element is undefined when that variant is loaded.
   */
  missing(
    values: ReadonlyMap<string, boolean>,
    expected: ReadonlySet<string>,
  ): readonly [KeyVector | undefined, ...KeyVector[]] {
    if (this.keys.length === 0 || this.keys.length > MAX_VECTOR_KEYS) return [undefined];
    // What failed is tried again from here on.
    this.failures.clear();
    const now = vectorOf(this.keys, values);
    const next = [...neighbours(now, expected).take(this.#room() - 1)];
    // Touched in reverse, so that what makes room for the missing is what nobody is about to need.
    for (const vector of [...next].reverse()) this.variants.use(this.vectorName(vector));
    const missing = next.filter((vector) => !this.variants.peek(this.vectorName(vector)));
    return [this.variants.use(this.vectorName(now)) ? undefined : now, ...missing];
  }

  /** Variants that the cache holds for sure, each taken to be as large as the dynamic one; at least 1. */
  #room(): number {
    const { count, bytes } = this.variants.limits;
    return Math.max(
      1,
      Math.min(count, Math.floor(bytes / Math.max(1, this.dynamic.info.jitedBytes))),
    );
  }

  /** The specialised variant for these values when it is loaded, else the dynamic one. */
  bestFor(values: ReadonlyMap<string, boolean>): Variant {
    return this.variants.use(this.vectorName(values)) ?? this.dynamic;
  }

  /** Takes over every variant that an earlier process left. */
  async adoptVariants(helper: Helper): Promise<void> {
    const { entries } = await helper.request('listPins', { path: this.#directory });
    for (const { name } of entries) {
      if (decodeVector(this.keys, name)) await this.adoptVariant(helper, name, NO_LOAD_STATISTICS);
    }
  }

  /**
   * Takes a pinned variant into the cache; what no longer fits is closed and unpinned. `undefined` when nothing is
   * pinned there, or the variant itself does not fit.
   */
  async adoptVariant(
    helper: Helper,
    vector: string,
    load: Variant['load'],
  ): Promise<SpecialisedVariant | undefined> {
    const inForce = await this.#slotHolds(helper);
    const adopted = await adoptProgram(helper, this.pinOf(vector));
    if (adopted === undefined) return undefined;
    const variant = { ...adopted, vector, load };
    const same = this.variants.peek(vector);
    const evicted = this.variants.add(variant, inForce);
    await closeHandles(helper, [same?.handle, ...evicted.map(({ handle }) => handle)]);
    for (const each of evicted) await removeDirectory(helper, this.pinOf(each.vector));
    return evicted.includes(variant) ? undefined : variant;
  }

  /** What the slot holds, read from the kernel; `undefined` when that is no variant of this version. */
  async inForce(helper: Helper): Promise<InForce | undefined> {
    const programId = await this.#slotHolds(helper);
    if (programId === this.dynamic.info.id) return { variant: this.dynamic };
    const variant = programId === undefined ? undefined : this.variants.byProgramId(programId);
    const vector = variant && decodeVector(this.keys, variant.vector);
    return variant && vector && { variant, vector };
  }

  /** Puts a variant in force. Resolves to the nanoseconds of the poke, 0 when it was in force already. */
  async install(helper: Helper, variant: Variant): Promise<bigint> {
    if (this.hook === undefined) return 0n;
    const isInForce = (await this.#slotHolds(helper)) === variant.info.id;
    return isInForce ? 0n : setSlot(helper, this.hook, variant);
  }

  /** The kernel's id of the program in the slot. */
  async #slotHolds(helper: Helper): Promise<number | undefined> {
    if (this.hook === undefined) return undefined;
    return (await helper.request('readSlot', { slot: this.hook.slot })).programId;
  }

  async isInForce(helper: Helper): Promise<boolean> {
    return (
      this.hook !== undefined &&
      (await isAttached(helper, this.hook)) &&
      (await this.inForce(helper)) !== undefined
    );
  }

  #whyDynamic(values: ReadonlyMap<string, boolean>): string {
    if (this.keys.length === 0) return 'no static branches';
    if (this.keys.length > MAX_VECTOR_KEYS) return `more than ${MAX_VECTOR_KEYS} static keys`;
    return this.failures.get(this.vectorName(values)) ?? 'not specialised yet';
  }

  /** @param values of the unit's keys */
  async status(helper: Helper, values: ReadonlyMap<string, boolean>): Promise<ProgramStatus> {
    const current = await this.inForce(helper);
    const { info, load } = current?.variant ?? this.dynamic;
    const specialised = current?.vector !== undefined;
    return {
      program: this.name,
      type: this.attachment.hook.kind,
      attachPoint: describeHook(this.section, this.attachment.hook),
      attached: await this.isInForce(helper),
      tier: specialised ? 'specialised' : 'dynamic',
      programId: info.id,
      sites: this.#sites,
      variants: 1 + this.variants.all.length,
      variantBytes: this.dynamic.info.jitedBytes + this.variants.bytes,
      bytesSaved: this.dynamic.info.jitedBytes - info.jitedBytes,
      tierReason: specialised ? '' : this.#whyDynamic(values),
      statistics: {
        ...load,
        verifiedInstructions: info.verifiedInstructions,
        xlatedBytes: info.xlatedBytes,
        jitedBytes: info.jitedBytes,
      },
    };
  }
}

/** @throws SkeinError SKEIN_CONFIG when the object has no such program */
export function sectionOf({ spec, object }: ReadUnit, program: string): string {
  const found = object.programs.find((each) => each.name === program);
  if (found) return found.section;
  const known = object.programs.map((each) => each.name).join(', ');
  throw new SkeinError(
    'SKEIN_CONFIG',
    `unit ${spec.name}: ${spec.objectPath} has no program ${program}; it has ${known}`,
  );
}

import { SkeinError } from '#common/errors.ts';
import type { Helper } from '../../helper/helper.ts';
import type { Attachment, ProgramStatus, UnitStatus } from '../engine.ts';
import { agreedValue, type Carriers } from './carriers.ts';
import { CounterMaps } from './counter-maps.ts';
import { closeHook, openHook } from './hook-slot.ts';
import { attachHook } from './hooks.ts';
import { KernelProgram, sectionOf } from './kernel-program.ts';
import { readKeys } from './key-variables.ts';
import { closeHandles, listDirectory, removeDirectory } from './pin-tree.ts';
import { freeVersion, hookDirectory, versionPrefix } from './pins.ts';
import type { ReadUnit } from './read-unit.ts';
import type { VariantLimits } from './variant-cache.ts';
import { adoptVersion, loadVersion, type Variant, type Version } from './version.ts';

/** A unit loaded in the kernel, by way of the handles of one helper process. */
export class KernelUnit {
  readonly unit: ReadUnit;
  readonly helper: Helper;
  readonly version: Version;
  /** In the order of the attachments. */
  readonly programs: readonly KernelProgram[];
  readonly counters: CounterMaps;

  private constructor(unit: ReadUnit, helper: Helper, version: Version, limits: VariantLimits) {
    this.unit = unit;
    this.helper = helper;
    this.version = version;
    this.counters = new CounterMaps(helper, version.directory);
    this.programs = unit.spec.attachments.map((attachment) => {
      const dynamic = dynamicVariant(version, attachment.program);
      return new KernelProgram(unit, version.directory, attachment, dynamic, limits);
    });
  }

  static async load(helper: Helper, unit: ReadUnit, limits: VariantLimits): Promise<KernelUnit> {
    const { spec, digest } = unit;
    for (const attachment of spec.attachments) {
      attachHook(attachment, sectionOf(unit, attachment.program));
    }
    const name = freeVersion(digest, await listDirectory(helper, spec.name));
    const version = await loadVersion(helper, unit, `${spec.name}/${name}`);
    return new KernelUnit(unit, helper, version, limits);
  }

  /** What is pinned and in force for exactly this object and these hooks. */
  static async adopt(
    helper: Helper,
    unit: ReadUnit,
    limits: VariantLimits,
  ): Promise<KernelUnit | undefined> {
    const names = await listDirectory(helper, unit.spec.name);
    for (const name of names.filter((entry) => entry.startsWith(versionPrefix(unit.digest)))) {
      const directory = `${unit.spec.name}/${name}`;
      const adopted = await KernelUnit.reopen(helper, unit, directory, limits);
      if (adopted && (await adopted.#isInForce())) return adopted;
      await adopted?.close();
    }
    return undefined;
  }

  /** The same version by way of another helper process, attached or not. */
  static async reopen(
    helper: Helper,
    unit: ReadUnit,
    directory: string,
    limits: VariantLimits,
  ): Promise<KernelUnit | undefined> {
    const version = await adoptVersion(helper, unit.spec, unit.object, directory);
    if (version === undefined) return undefined;
    const reopened = new KernelUnit(unit, helper, version, limits);
    for (const program of reopened.programs) {
      program.hook = await openHook(helper, reopened.hookPath(program.attachment));
      await program.adoptVariants(helper);
      // It may be another version's still, which this one is loaded beside.
      if ((await program.inForce(helper)) !== undefined) continue;
      if (program.hook) await closeHook(helper, program.hook);
      program.hook = undefined;
    }
    return reopened;
  }

  /** Whether any of its programs was ever put in force. */
  get hasHooks(): boolean {
    return this.programs.some((program) => program.hook !== undefined);
  }

  /** Forgets a version that never came into force. */
  async discard(): Promise<void> {
    await this.close();
    await removeDirectory(this.helper, this.version.directory);
    const unit = this.unit.spec.name;
    if ((await listDirectory(this.helper, unit)).length === 0) {
      await removeDirectory(this.helper, unit);
    }
  }

  /**
   * What the programs act on: the vector of a specialised variant in force, else the variable. A key is
   * absent when they disagree, as after a crash in the middle of a flip.
   */
  async keys(): Promise<ReadonlyMap<string, boolean>> {
    const agreed = [...(await this.carriers())].map(
      ([key, carriers]) => [key, agreedValue(carriers)] as const,
    );
    return new Map(agreed.flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])));
  }

  /** By static key. */
  async carriers(): Promise<ReadonlyMap<string, Carriers>> {
    const variables = await this.variables();
    const vectors = new Map([...variables.keys()].map((key) => [key, new Set<boolean>()]));
    for (const program of this.programs) {
      const current = await program.inForce(this.helper);
      for (const [key, on] of current?.vector ?? []) vectors.get(key)?.add(on);
    }
    return new Map(
      [...variables].map(([key, variable]) => {
        return [key, { variable, vectors: vectors.get(key) ?? new Set() }];
      }),
    );
  }

  async observe(): Promise<UnitStatus> {
    const keys = await this.keys();
    const programs: ProgramStatus[] = [];
    for (const program of this.programs) programs.push(await program.status(this.helper, keys));
    return {
      unit: this.unit.spec.name,
      objectDigest: this.unit.digest,
      attached: programs.every((program) => program.attached),
      keys,
      programs,
    };
  }

  /** Whether a program's specialised variant for a vector is loaded. */
  holds(program: string, vector: string): boolean {
    const found = this.programs.find((each) => each.name === program);
    return found?.variants.peek(vector) !== undefined;
  }

  /**
   * Takes over a variant that was pinned meanwhile, and puts it in force when it is for what holds now.
   * Resolves to whether it is in force. Bears repetition.
   *
   * @throws SkeinError SKEIN_PIN_CONFLICT when it cannot be kept
   */
  async adoptVariant(name: string, vector: string, load: Variant['load']): Promise<boolean> {
    const program = this.programs.find((each) => each.name === name);
    const variant = await program?.adoptVariant(this.helper, vector, load);
    if (program === undefined || variant === undefined) {
      throw new SkeinError(
        'SKEIN_PIN_CONFLICT',
        `unit ${this.unit.spec.name}: the specialised ${name} is gone from bpffs, or larger than the variants' limit`,
        { remedy: 'See variants.bytesPerProgram of the configuration.' },
      );
    }
    const values = await this.keys();
    const known = program.keys.every((key) => values.has(key));
    if (!known || program.vectorName(values) !== vector) return false;
    program.failures.delete(vector);
    await program.install(this.helper, variant);
    return true;
  }

  /**
   * Puts in force the variants at hand for what holds now: a process may have ended between pinning one and
   * putting it into its slot, and a hook made anew begins with the dynamic one.
   */
  async upgrade(): Promise<void> {
    const values = await this.keys();
    for (const program of this.programs) {
      if (!program.keys.every((key) => values.has(key))) continue;
      await program.install(this.helper, program.bestFor(values));
    }
  }

  /** Says why a program has no specialised variant for a vector. */
  blame(program: string, vector: string, why: string): void {
    this.programs.find((each) => each.name === program)?.failures.set(vector, why);
  }

  /** Lets go of the handles; what is pinned stays. */
  async close(): Promise<void> {
    await closeHandles(this.helper, this.version.handles);
    await closeHandles(this.helper, this.counters.handles);
    for (const { hook, variants } of this.programs) {
      if (hook) await closeHook(this.helper, hook);
      const handles = variants.all.map(({ handle }) => handle);
      await closeHandles(this.helper, handles);
    }
  }

  async #isInForce(): Promise<boolean> {
    for (const program of this.programs) {
      if (!(await program.isInForce(this.helper))) return false;
    }
    return true;
  }

  /** What the keys' variables hold. */
  variables(): Promise<ReadonlyMap<string, boolean>> {
    return readKeys(this.helper, this.version, this.unit.object.keys);
  }

  /** Where the hook of an attachment is pinned. */
  hookPath(attachment: Attachment): string {
    const section = sectionOf(this.unit, attachment.program);
    return `${this.unit.spec.name}/${hookDirectory(attachment, section)}`;
  }
}

function dynamicVariant(version: Version, program: string): Variant {
  const variant = version.programs.get(program);
  if (variant) return variant;
  throw new SkeinError('SKEIN_INTERNAL', `${version.directory}: no program ${program}`);
}

import { createHash } from 'node:crypto';
import { readObject } from '#agent/object/read-object.ts';
import type { ObjectSpec } from '#agent/object/spec.ts';
import { SkeinError } from '#common/errors.ts';
import { nameAttachment, type UnitSpec } from '../engine.ts';
import type { ObjectMap } from './object/object-maps.ts';
import { kindOfSection } from './object/program-kind.ts';
import type { PreparedObject, PreparedProgram } from './prepare.ts';
import type { PrepareJob } from './prepare-worker.ts';

/** A unit that is ready to be loaded into runtimes. */
export interface PreparedUnit {
  readonly spec: UnitSpec;
  readonly object: ObjectSpec;
  /** Lower-case hex SHA-256 of the object's bytes. */
  readonly digest: string;
  readonly maps: readonly ObjectMap[];
  /** In the order of the attachments. */
  readonly programs: readonly { readonly prepared: PreparedProgram; readonly hook: string }[];
}

/**
 * @throws as prepareObject(), and SKEIN_CONFIG for hooks that are the kernel's
 */
export async function prepareUnit(
  spec: UnitSpec,
  prepare: (job: PrepareJob) => Promise<PreparedObject>,
): Promise<PreparedUnit> {
  const object = readObject(spec.object);
  const hooks = spec.attachments.map((attachment) => {
    const { program, hook } = attachment;
    if (hook.kind !== 'userspace') {
      throw new SkeinError(
        'SKEIN_CONFIG',
        `${nameAttachment(attachment)} is to be attached as ${hook.kind}, which takes the kernel engine`,
        { remedy: 'Attach it as userspace, or set engine: kernel.' },
      );
    }
    const found = object.programs.find(({ name }) => name === program);
    if (found) kindOfSection(nameAttachment(attachment), found.section);
    return hook.hook;
  });
  const names = spec.attachments.map(({ program }) => program);
  const { programs, maps } = await prepare({ object: spec.object, programs: names });
  return {
    spec,
    object,
    digest: createHash('sha256').update(spec.object).digest('hex'),
    maps,
    programs: programs.map((prepared, index) => ({ prepared, hook: hooks[index] ?? '' })),
  };
}

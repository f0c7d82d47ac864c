import { createHash } from 'node:crypto';
import { readObject } from '#agent/object/read-object.ts';
import type { ObjectSpec } from '#agent/object/spec.ts';
import { SkeinError } from '#common/errors.ts';
import type { UnitSpec } from '../engine.ts';
import type { ObjectMap } from './object/object-maps.ts';
import type { PreparedObject, PreparedProgram } from './prepare.ts';

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
 * @param prepare as PrepareThread.prepare()
 * @throws as prepareObject(), and SKEIN_CONFIG for hooks that are the kernel's
 */
export async function prepareUnit(
  spec: UnitSpec,
  prepare: (object: Uint8Array, programs: readonly string[]) => Promise<PreparedObject>,
): Promise<PreparedUnit> {
  const hooks = spec.attachments.map(({ program, hook }) => {
    if (hook.kind === 'userspace') return hook.hook;
    throw new SkeinError(
      'SKEIN_CONFIG',
      `unit ${spec.name}: program ${program} is to be attached as ${hook.kind}, which takes the kernel engine`,
      { remedy: 'Attach it as userspace, or set engine: kernel.' },
    );
  });
  const names = spec.attachments.map(({ program }) => program);
  const { programs, maps } = await prepare(spec.object, names);
  return {
    spec,
    object: readObject(spec.object),
    digest: createHash('sha256').update(spec.object).digest('hex'),
    maps,
    programs: programs.map((prepared, index) => ({ prepared, hook: hooks[index] ?? '' })),
  };
}

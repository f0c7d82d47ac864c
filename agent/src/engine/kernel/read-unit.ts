import { createHash } from 'node:crypto';
import { readObject } from '../../object/read-object.ts';
import type { ObjectSpec } from '../../object/spec.ts';
import type { UnitSpec } from '../engine.ts';

/** A unit with its object, read. */
export interface ReadUnit {
  readonly spec: UnitSpec;
  readonly object: ObjectSpec;
  /** Lower-case hex SHA-256 of the object's bytes. */
  readonly digest: string;
}

/** @throws SkeinError SKEIN_BAD_OBJECT */
export function readUnit(spec: UnitSpec): ReadUnit {
  const digest = createHash('sha256').update(spec.object).digest('hex');
  return { spec, object: readObject(spec.object), digest };
}

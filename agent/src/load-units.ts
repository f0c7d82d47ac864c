import { readConfigured } from '#common/configured-file.ts';
import { SkeinError, toSkeinError } from '#common/errors.ts';
import type { ProgramConfig } from './config.ts';
import { CounterResolver } from './counters/resolve-counter.ts';
import type { UnitCounter } from './counters/unit-counter.ts';
import type { AgentUnit, Binding } from './keys/agent-unit.ts';
import { readObject } from './object/read-object.ts';
import type { ObjectSpec } from './object/spec.ts';

/**
 * Reads every configured object and holds the configuration against it.
 *
 * @throws SkeinError SKEIN_CONFIG, SKEIN_BAD_OBJECT, SKEIN_NO_KEYS, SKEIN_UNKNOWN_STATIC_KEY
 */
export function loadUnits(programs: readonly ProgramConfig[]): readonly AgentUnit[] {
  return programs.map((program, index) => {
    const bytes = readConfigured(program.object, { field: `programs.${index}.object` });
    return makeUnit(program, bytes, `programs.${index}`);
  });
}

/** The pure part. @param field where in the configuration, for messages */
export function makeUnit(program: ProgramConfig, bytes: Uint8Array, field: string): AgentUnit {
  const object = inObject(program.object, () => readObject(bytes));
  if (object.keys.length === 0) {
    throw new SkeinError('SKEIN_NO_KEYS', `${field}.object: ${program.object} has no static keys`);
  }
  for (const [index, { program: name }] of program.attach.entries()) {
    if (object.programs.some((one) => one.name === name)) continue;
    const names = object.programs.map((one) => one.name).join(', ');
    throw new SkeinError(
      'SKEIN_CONFIG',
      `${field}.attach.${index}.program: ${program.object} has no program "${name}"; it has: ${names}`,
    );
  }
  return {
    spec: {
      name: program.name,
      object: bytes,
      objectPath: program.object,
      attachments: program.attach.map(({ program: name, hook }, index) => {
        return { program: name, hook, field: `${field}.attach.${index}` };
      }),
    },
    declared: new Map(object.keys.map((key) => [key.name, key.declared])),
    bindings: bindingsOf(program, object, field),
    counters: countersOf(program, object, field),
  };
}

function countersOf(program: ProgramConfig, object: ObjectSpec, field: string): UnitCounter[] {
  if (program.counters.length === 0) return [];
  const resolver = inObject(program.object, () => new CounterResolver(object, program.object));
  return program.counters.map((counter, index) =>
    resolver.resolve(counter, `${field}.counters.${index}`),
  );
}

function bindingsOf(program: ProgramConfig, object: ObjectSpec, field: string): Binding[] {
  return Object.entries(program.keys).flatMap(([fleetKey, staticKeys]) =>
    staticKeys.map((staticKey) => {
      if (object.keys.some((key) => key.name === staticKey)) return { fleetKey, staticKey };
      const names = object.keys.map((key) => key.name).join(', ');
      throw new SkeinError(
        'SKEIN_UNKNOWN_STATIC_KEY',
        `${field}.keys.${fleetKey}: ${program.object} has no static key "${staticKey}"; it has: ${names}`,
      );
    }),
  );
}

/** Adds its path to what is wrong with an object. */
function inObject<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (thrown) {
    const error = toSkeinError(thrown, 'SKEIN_BAD_OBJECT');
    throw new SkeinError(error.code, `${path}: ${error.message}`, { cause: thrown });
  }
}

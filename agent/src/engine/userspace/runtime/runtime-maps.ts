import { SkeinError } from '#common/errors.ts';
import type { RuntimeConnection } from '../../../helper/runtime-server.ts';
import type { CounterPlace } from '../../engine.ts';
import type { ObjectMap } from '../object/object-maps.ts';

/** Longest name of a BPF object. */
const NAME_BYTES = 15;
const FIRST_KEY = new Uint8Array(4);

/** Makes a map with what the object puts into it. Resolves to its handle. */
export async function makeMap(runtime: RuntimeConnection, definition: ObjectMap): Promise<number> {
  const { name, number: type, keySize, valueSize, maxEntries, flags, initial } = definition;
  const { map } = await runtime.request('makeVmMap', {
    ...{ type, keySize, valueSize, maxEntries, flags },
    name: name.replaceAll(/\W/g, '_').slice(0, NAME_BYTES),
  });
  if (initial !== undefined) {
    const op = { key: FIRST_KEY, values: [initial], flags: 0n };
    await runtime.request('vmMapOp', { map, op: { $case: 'update', value: op } });
  }
  return map;
}

/** Numbers of an array, in order; those of per-CPU arrays summed over the slots. */
export async function readCounters(
  runtime: RuntimeConnection,
  map: number,
  places: readonly CounterPlace[],
): Promise<readonly bigint[]> {
  const values = new Map<number, readonly DataView[]>();
  const read: bigint[] = [];
  for (const { index, offset, size } of places) {
    const slots = values.get(index) ?? (await lookUp(runtime, map, index));
    values.set(index, slots);
    read.push(
      slots.reduce((sum, slot) => {
        const each =
          size === 4 ? BigInt(slot.getUint32(offset, true)) : slot.getBigUint64(offset, true);
        return sum + each;
      }, 0n),
    );
  }
  return read;
}

async function lookUp(
  runtime: RuntimeConnection,
  map: number,
  index: number,
): Promise<readonly DataView[]> {
  const key = new Uint8Array(Uint32Array.of(index).buffer);
  const op = { $case: 'lookup', value: { key } } as const;
  const { entries } = await runtime.request('vmMapOp', { map, op });
  const [entry] = entries;
  if (entry === undefined)
    throw new SkeinError('SKEIN_INTERNAL', `map ${map} has no entry ${index}`);
  return entry.values.map((value) => new DataView(value.buffer, value.byteOffset, value.length));
}

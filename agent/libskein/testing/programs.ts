/** For tests: assembly to code in a runtime. `map[fd:N]` names a map by its handle. */

import { assemble } from '#agent/engine/userspace/isa/assemble.ts';
import { markedSites, type Site } from '#agent/engine/userspace/isa/sites.ts';
import { type Compiled, compile, type Patch } from '#agent/engine/userspace/jit/compile.ts';
import type { MappedCode } from '#agent/engine/userspace/machine.ts';
import type { OpName, RequestOf, Requests } from '#agent/helper/helper.ts';
import type { CodePatch, HookKind, VmMapEntry } from '#proto/gen/skein/v1/helper.ts';

export async function mapProgram(runtime: Requests<OpName>, source: string): Promise<MappedCode> {
  const slots = assemble(source);
  const compiled: Compiled<Site> = compile(slots, markedSites(slots));
  const { code, address } = await runtime.request('mapCode', {
    code: compiled.code,
    patches: compiled.patches.map(patchOf),
  });
  return { code, address, compiled };
}

function patchOf({ offset, target }: Patch): CodePatch {
  switch (target.kind) {
    case 'helper':
      return { offset, target: { $case: 'helper', value: target.id } };
    case 'code':
      return { offset, target: { $case: 'codeOffset', value: target.offset } };
    case 'map':
      return { offset, target: { $case: 'map', value: target.number } };
    case 'map-value': {
      const value = { map: target.number, offset: target.offset };
      return { offset, target: { $case: 'mapValue', value } };
    }
    default:
      throw new Error(`no ${target.kind} here`);
  }
}

export async function install(
  runtime: Requests<OpName>,
  hook: string,
  kind: HookKind,
  source: string,
  rest: Partial<RequestOf<'installProgram'>> = {},
): Promise<MappedCode> {
  const mapped = await mapProgram(runtime, source);
  await runtime.request('installProgram', {
    hook,
    kind,
    code: mapped.code,
    entry: 0,
    label: 'test',
    blob: new Uint8Array(),
    uses: [],
    ...rest,
  });
  return mapped;
}

/** BPF_MAP_TYPE_* */
export const MAP_TYPE = {
  hash: 1,
  array: 2,
  progArray: 3,
  perCpuArray: 6,
  lpmTrie: 11,
  ringbuf: 27,
} as const;

export async function makeMap(
  runtime: Requests<OpName>,
  type: keyof typeof MAP_TYPE,
  keySize: number,
  valueSize: number,
  maxEntries: number,
): Promise<number> {
  const flags = type === 'lpmTrie' ? 1 : 0;
  const request = { type: MAP_TYPE[type], keySize, valueSize, maxEntries, flags, name: type };
  return (await runtime.request('makeVmMap', request)).map;
}

export function u32(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}

export function u64(value: bigint): Uint8Array {
  return new Uint8Array(BigUint64Array.of(value).buffer);
}

export async function lookUp(
  runtime: Requests<OpName>,
  map: number,
  key: Uint8Array,
): Promise<VmMapEntry | undefined> {
  const op = { $case: 'lookup', value: { key } } as const;
  return (await runtime.request('vmMapOp', { map, op })).entries[0];
}

export async function update(
  runtime: Requests<OpName>,
  map: number,
  key: Uint8Array,
  value: Uint8Array,
  flags = 0n,
): Promise<void> {
  const change = { key, values: [value], flags };
  await runtime.request('vmMapOp', { map, op: { $case: 'update', value: change } });
}

import type { RawInstruction } from '#agent/object/instructions.ts';
import { SkeinError, toSkeinError } from '#common/errors.ts';
import {
  type CodePatch,
  PokeProtocol,
  RunOutcome,
  type RunProgramRequest,
} from '#proto/gen/skein/v1/helper.ts';
import type { Requests, VmOp } from '../../helper/helper.ts';
import { isNotFound } from '../../helper/helper-error.ts';
import { disassemble } from './isa/disassemble.ts';
import { bytesOfSlots } from './isa/program-bytes.ts';
import { isTaken, type Site } from './isa/sites.ts';
import type { Compiled, CompiledSite, Patch } from './jit/compile.ts';
import { SITE_BYTES, siteBytes } from './jit/layout.ts';

/** Code in a runtime or in skein-vm, ready to be run and poked. */
export interface MappedCode<S extends Site = Site> {
  /** Its handle. */
  readonly code: number;
  /** Of the first byte, in that process. */
  readonly address: bigint;
  readonly compiled: Compiled<S>;
}

export interface Poke {
  readonly code: Pick<MappedCode, 'code'>;
  readonly at: CompiledSite<Site>;
  /** Value of the key that the code acts on now. */
  readonly from: boolean;
  readonly to: boolean;
}

/** How code is changed that may be running: one store a site, or int3 first. */
export type PokeMethod = 'store' | 'int3';

export interface RunInput {
  readonly memory: Uint8Array;
  readonly repeat: number;
  /** For all runs together: 1..60,000. */
  readonly timeLimitMs: number;
}

export interface RunResult {
  /** r0 of the last run. */
  readonly value: bigint;
  readonly totalNs: bigint;
  /** As it is afterwards. */
  readonly memory: Uint8Array;
}

/** A runtime, or skein-vm, as the userspace engine uses it. Programs must have been verified. */
export class Machine {
  readonly #vm: Requests<VmOp>;

  constructor(vm: Requests<VmOp>) {
    this.#vm = vm;
  }

  /**
   * @param maps handles of the maps that the program names by index
   * @throws SkeinError SKEIN_UNSUPPORTED_MACHINE where the processor is another than the JIT's, SKEIN_BAD_PROGRAM for
   * calls of what is not there
   */
  async map<C extends Pick<Compiled<Site>, 'code' | 'patches'>>(
    compiled: C,
    maps: readonly number[] = [],
  ): Promise<Pick<MappedCode, 'code' | 'address'> & { readonly compiled: C }> {
    const patches = compiled.patches.map((patch) => patchRequest(patch, maps));
    try {
      const mapped = await this.#vm.request('mapCode', { code: compiled.code, patches });
      return { ...mapped, compiled };
    } catch (thrown) {
      if (!isNotFound(thrown)) throw thrown;
      throw new SkeinError('SKEIN_BAD_PROGRAM', toSkeinError(thrown).message, { cause: thrown });
    }
  }

  async unmap({ code }: MappedCode): Promise<void> {
    await this.#vm.request('close', { handle: code });
  }

  /**
   * All or none. Returns the nanoseconds that stores and barriers took, once what was read back is what was
   * written.
   * @throws SkeinError SKEIN_READBACK_MISMATCH when a site is not what it should be, before or after
   */
  async poke(pokes: readonly Poke[], method: PokeMethod): Promise<bigint> {
    const requests = pokes.map(({ code: { code }, at, from, to }) => ({
      code,
      offset: at.offset,
      expected: bytesAt(at, from),
      replacement: bytesAt(at, to),
    }));
    const { pokeNs, values } = await this.#vm.request('pokeCode', {
      pokes: requests,
      protocol: PokeProtocol[method === 'int3' ? 'INT3' : 'UNSPECIFIED'],
    });
    const wrong = requests.findIndex(({ replacement }, index) => values[index] !== replacement);
    const request = requests[wrong];
    if (request !== undefined) {
      const place = `code ${request.code}, byte ${request.offset}`;
      throw new SkeinError('SKEIN_READBACK_MISMATCH', `${place}: read back something else`);
    }
    return pokeNs;
  }

  /** The code as it is now. */
  async readBack({ code, compiled }: MappedCode): Promise<Uint8Array> {
    const length = compiled.code.length;
    return (await this.#vm.request('readBytes', { code, offset: 0, length })).code;
  }

  /** @throws SkeinError SKEIN_PROGRAM_FAULT, SKEIN_PROGRAM_TIME_LIMIT */
  async run(
    code: MappedCode,
    slots: readonly RawInstruction[],
    input: RunInput,
  ): Promise<RunResult> {
    return await this.#run({ $case: 'code', value: code.code }, input, (place) =>
      describeOffset(code.compiled, slots, place),
    );
  }

  /**
   * `on` says which sites' keys are on.
   * @throws SkeinError SKEIN_PROGRAM_FAULT, SKEIN_PROGRAM_TIME_LIMIT
   */
  async interpret<S extends Site>(
    slots: readonly RawInstruction[],
    sites: readonly S[],
    on: (site: S) => boolean,
    input: RunInput,
  ): Promise<RunResult> {
    const value = {
      instructions: bytesOfSlots(slots),
      sites: sites.map((site) => {
        const { start, instruction, target } = site;
        return { start, instruction, target, taken: isTaken(site, on(site)) };
      }),
    };
    return await this.#run({ $case: 'interpreted', value }, input, (place) =>
      describeSlot(slots, place),
    );
  }

  async #run(
    engine: NonNullable<RunProgramRequest['engine']>,
    { memory, repeat, timeLimitMs }: RunInput,
    describePlace: (place: number) => string,
  ): Promise<RunResult> {
    const request = { engine, memory, repeat, timeLimitMs };
    const done = await this.#vm.request('runProgram', request);
    switch (done.outcome) {
      case RunOutcome.DONE:
        return { value: done.returnValue, totalNs: done.totalNs, memory: done.memory };
      case RunOutcome.TIME_LIMIT:
        throw new SkeinError('SKEIN_PROGRAM_TIME_LIMIT', `no end within ${timeLimitMs} ms`);
      case RunOutcome.FAULT:
        throw new SkeinError('SKEIN_PROGRAM_FAULT', `${describePlace(done.place)}: ${done.reason}`);
      default:
        throw new SkeinError('SKEIN_HELPER_PROTOCOL', `run outcome ${done.outcome}`);
    }
  }
}

function patchRequest({ offset, target }: Patch, maps: readonly number[]): CodePatch {
  switch (target.kind) {
    case 'helper':
      return { offset, target: { $case: 'helper', value: target.id } };
    case 'code':
      return { offset, target: { $case: 'codeOffset', value: target.offset } };
    case 'map':
    case 'map-value': {
      const map = maps[target.number];
      if (map === undefined) break;
      if (target.kind === 'map') return { offset, target: { $case: 'map', value: map } };
      return { offset, target: { $case: 'mapValue', value: { map, offset: target.offset } } };
    }
  }
  const number = 'id' in target ? target.id : target.number;
  throw new SkeinError('SKEIN_BAD_PROGRAM', `no ${target.kind} ${number} here`);
}

/** What stands at the site while its key has this value, the first byte lowest. */
export function bytesAt({ site, offset, target }: CompiledSite<Site>, on: boolean): bigint {
  const bytes = siteBytes(isTaken(site, on), target - (offset + SITE_BYTES));
  return bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

const describeSlot = (slots: readonly RawInstruction[], slot: number): string =>
  `instruction ${slot}: ${disassemble(slots, slot)}`;

/** The instruction that a byte of the code belongs to. */
function describeOffset(
  { offsets, code }: Compiled<Site>,
  slots: readonly RawInstruction[],
  offset: number,
): string {
  if (offset >= code.length) return 'outside of the code';
  // Those without code of their own, as the load of a key, begin where the next one does.
  const slot = offsets.findLastIndex((start) => start <= offset);
  return slot < 0 ? 'at the entry' : describeSlot(slots, slot);
}

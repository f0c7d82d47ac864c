import type { RawInstruction } from '#agent/object/instructions.ts';
import type { VerifierStatistics } from '#common/observed.ts';
import type { Site } from '../isa/sites.ts';

/** A program as it is to be run, and what it is to be run with. */
export interface VerifierInput {
  readonly kind: ProgramKind;
  /** The main function, then the subprograms, one behind the other; calls are relative, as in the kernel. */
  readonly slots: readonly RawInstruction[];
  /** Sorted by start; the first one is the main function and starts at 0. */
  readonly functions: readonly FunctionInput[];
  /** An ld_imm64 with src 1, 2, 5 or 6 names them by index. */
  readonly maps: readonly MapInput[];
  /** Both edges are verified, whatever the keys say; the register that a site compares is lost. */
  readonly sites?: readonly Site[];
  /** Sorted by instruction. */
  readonly lines?: readonly LineInput[];
  /** May use the helpers that the kernel keeps for programs under the GPL. */
  readonly gplCompatible?: boolean;
  /** Of the machine that it will run on: what bpf_get_smp_processor_id() returns is below. */
  readonly cpus?: number;
  /** 0: none, 1: of a refused program the way to the refusal, 2: all that was looked at. */
  readonly logLevel?: 0 | 1 | 2;
  /** Milliseconds, for the statistics: performance.now. */
  readonly now?: () => number;
}

export type ProgramKind =
  | { readonly type: ContextType }
  /** r1 points at bytes, r2 says how many there are: at least `minimum`, at most `maximum`. */
  | { readonly type: 'memory'; readonly minimum: number; readonly maximum: number };

export type ContextType =
  | 'xdp'
  | 'tc'
  | 'cgroup-skb'
  | 'socket-filter'
  | 'raw-tracepoint'
  | 'tracepoint';

export interface FunctionInput {
  readonly name: string;
  /** Slot. */
  readonly start: number;
  /** Of a global function, which is verified once and on its own; absent for a static one. */
  readonly global?: { readonly parameters: readonly Parameter[] };
}

/** What a global function is promised, and what its callers must keep: from BTF. */
export type Parameter =
  | { readonly type: 'scalar' }
  | { readonly type: 'context' }
  | { readonly type: 'memory'; readonly bytes: number; readonly orNull: boolean };

export interface MapInput {
  readonly name: string;
  readonly type: MapType;
  /** Bytes. */
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  /** The value of a read-only map that nobody can write any more: .rodata. */
  readonly frozen?: Uint8Array;
}

export type MapType =
  | 'hash'
  | 'array'
  | 'prog-array'
  | 'perf-event-array'
  | 'percpu-hash'
  | 'percpu-array'
  | 'stack-trace'
  | 'lru-hash'
  | 'lru-percpu-hash'
  | 'lpm-trie'
  | 'devmap'
  | 'cpumap'
  | 'xskmap'
  | 'devmap-hash'
  | 'queue'
  | 'stack'
  | 'ringbuf';

export interface LineInput {
  readonly instruction: number;
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** The line itself, when BTF has it. */
  readonly text?: string;
}

export type VerifierResult = Accepted | Refused;

export interface Accepted {
  readonly accepted: true;
  /** Slots of the loads from, and stores to, the context. */
  readonly contextAccesses: readonly number[];
  readonly statistics: Statistics;
  readonly log: string;
}

export interface Refused {
  readonly accepted: false;
  /** Slot. */
  readonly instruction: number;
  /** The instruction in assembly. */
  readonly text: string;
  /** In the kernel's words where it has any. */
  readonly reason: string;
  readonly source: LineInput | undefined;
  readonly statistics: Statistics;
  readonly log: string;
}

/** What the kernel says of a program, without what only its JIT knows. */
export type Statistics = Omit<VerifierStatistics, 'xlatedBytes' | 'jitedBytes'>;

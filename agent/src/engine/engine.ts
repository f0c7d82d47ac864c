import type { ProgramReport, Tier } from '#common/observed.ts';
import type { SiteReport } from '#common/site.ts';

/**
 * The engine interface: what the agent needs of whatever runs BPF programs with static keys. The kernel
 * engine and the fake engine implement it; contract.ts holds every implementation to the same behaviour.
 *
 * A *unit* is one configured object instance: one BPF object, the programs of it that are attached, and
 * the maps they share. Units are independent. Calls for one unit are serialised by the engine.
 * Every method rejects with a SkeinError; a rejected call leaves what ran before running.
 */

export interface Engine {
  readonly kind: EngineKind;

  /** What this host's kernel or runtime can do. Unsupported is a value, never an exception. */
  probe(): Promise<EngineProbe>;

  /**
   * Loads the unit's programs (dynamic tier), shares its maps, and pins all of it; attaches nothing.
   * Static keys have the values that the object declares. If an older object of the same unit is attached,
   * it goes on running until attach().
   */
  load(unit: UnitSpec): Promise<UnitStatus>;

  /**
   * Puts the unit's programs in force at their hooks. Where an older object of the unit is attached at the same
   * hook, the slot is swapped: no packet or event goes unseen. Idempotent. When it rejects, a unit that was attached
   * before stays loaded, to be attached again; of one that never was what load() made may be gone: load() again.
   */
  attach(unit: string): Promise<UnitStatus>;

  /**
   * Takes over what an earlier process left running for exactly this object and these hooks.
   * `undefined` when nothing (or a different object) is there: then load() and attach().
   * Changes no branch.
   */
  adopt(unit: UnitSpec): Promise<UnitStatus | undefined>;

  /** Sets static keys, by name, and reads back all that it set. Keys not named stay. */
  flip(unit: string, changes: ReadonlyMap<string, boolean>): Promise<FlipReport>;

  /** Hints that these static keys may be flipped soon, so that the engine may prepare for them first. */
  expect(unit: string, keys: ReadonlySet<string>): void;

  /** Reads the unit's state from the kernel or runtime, trusting no memory of it. */
  observe(unit: string): Promise<UnitStatus>;

  /**
   * Every static branch of the unit's programs, and where it is in the variant in force. A subprogram is part of each
   * program that reaches it, so its branches come once for each.
   */
  sites(unit: string): Promise<readonly SiteStatus[]>;

  /**
   * Numbers that the unit's programs keep in one map, those of a per-CPU map summed, in the order of `places`. They
   * live on over flips, and in what adopt() takes over; load() begins at the values that the object declares.
   *
   * @param map as the object names it, or the section of a global variable; an array or a per-CPU array
   * @param places 1 to 16,384; cheapest when those of one index stand together
   */
  readCounters(
    unit: string,
    map: string,
    places: readonly CounterPlace[],
  ): Promise<readonly bigint[]>;

  /** Detaches the unit and removes everything it left: the only call after which its programs stop. */
  unload(unit: string): Promise<void>;

  /** Names of units that an earlier process left, whether or not configured now. */
  leftovers(): Promise<readonly string[]>;

  /** Lets go of the engine. Attached units go on running, to be adopted. */
  close(): Promise<void>;
}

export type EngineKind = 'kernel' | 'userspace' | 'fake';

export interface UnitSpec {
  /** Matches {@link UNIT_NAME}. */
  readonly name: string;
  /** A whole BPF ELF object. */
  readonly object: Uint8Array;
  /** Where it came from, for messages. */
  readonly objectPath: string;
  /** At least one; at most one entry per program. */
  readonly attachments: readonly Attachment[];
}

/** Unit names: they become directory names in bpffs, which reserves dots. */
export const UNIT_NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/;

export interface Attachment {
  /** The function's name in the object. */
  readonly program: string;
  readonly hook: HookParameters;
  /** Where it is in the configuration, for messages: "programs.0.attach.1". */
  readonly field?: string;
}

/** An attachment in a message, with the field to correct when it came from a configuration. */
export function nameAttachment({ program, hook, field }: Attachment): string {
  return `${field === undefined ? '' : `${field}.${hook.kind}: `}program ${program}`;
}

/** A kernel hook, and where the program goes when the agent runs the userspace engine. */
export interface AttachmentChoice extends Attachment {
  readonly alternative?: RuntimeHook;
}

/** What SEC() leaves open. The kind must agree with the program's section name. */
export type HookParameters =
  | {
      readonly kind: 'xdp';
      readonly device: string;
      /** e.g. /run/netns/a; absent: the agent's own network namespace. */
      readonly netns?: string;
      readonly mode?: 'native' | 'generic';
    }
  | {
      readonly kind: 'tc';
      readonly device: string;
      readonly netns?: string;
      readonly direction: 'ingress' | 'egress';
    }
  | { readonly kind: 'cgroup_skb'; readonly cgroup: string }
  /** `name` defaults to the one in the section name. */
  | { readonly kind: 'raw_tp'; readonly name?: string }
  | { readonly kind: 'tp_btf' }
  | { readonly kind: 'tracepoint'; readonly category?: string; readonly name?: string }
  | RuntimeHook;

/** A hook of processes that embed libskein: of every one that offers it. */
export interface RuntimeHook {
  readonly kind: 'userspace';
  readonly hook: string;
}

export interface UnitStatus {
  readonly unit: string;
  /** Lower-case hex SHA-256 of the object's bytes. */
  readonly objectDigest: string;
  /** All programs are in force at their hooks. */
  readonly attached: boolean;
  /**
   * Static key name → value, as read back. Every key of the object is there, but for those on which the programs
   * disagree after a crash in the middle of a flip; the next flip sets them all.
   */
  readonly keys: ReadonlyMap<string, boolean>;
  readonly programs: readonly ProgramStatus[];
}

export interface ProgramStatus extends Omit<ProgramReport, 'unit' | 'type' | 'staticKeys'> {
  readonly type: HookParameters['kind'];
  readonly attached: boolean;
}

/** A static branch of a program, as the kernel or runtime has it now. */
export type SiteStatus = Omit<SiteReport, 'unit'>;

export interface FlipReport {
  /** Static key name → value read back after the flip; exactly the keys asked for. */
  readonly keys: ReadonlyMap<string, boolean>;
  /** Weakest tier among the unit's programs that have a site of these keys. */
  readonly tier: Tier;
  /** Sum over the pokes, each measured in the helper around the poke alone. */
  readonly pokeNs: bigint;
}

/** Where an unsigned number is within an array or a per-CPU array. */
export interface CounterPlace {
  /** Below the number of entries. */
  readonly index: number;
  /** Bytes into the value; a multiple of size. */
  readonly offset: number;
  readonly size: 4 | 8;
}

/** The outcome of a specialisation in the background. */
export interface Specialisation {
  readonly unit: string;
  readonly program: string;
  /** "prepared": loaded for a vector that does not hold now. */
  readonly result: 'in_force' | 'prepared' | 'failed';
  /** From the start of the edit to the variant pinned. */
  readonly durationNs: bigint;
}

export interface EngineProbe {
  readonly kernelRelease: string;
  readonly features: readonly ProbedFeature[];
}

export interface ProbedFeature {
  readonly name: string;
  readonly availability: 'yes' | 'no' | 'inconclusive';
  readonly detail: string;
}

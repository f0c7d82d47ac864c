/**
 * What readObject() makes of a BPF ELF object: plain, frozen, independent of the host it is read on.
 * Offsets and sizes are bytes; *instruction* numbers count 8-byte slots from the start of a section, so
 * that an ld_imm64 counts as two, as everywhere in BPF.
 */

export interface ObjectSpec {
  /** In file order, the null section included: `sections[i].index === i`. */
  readonly sections: readonly Section[];
  /** In file order, the null symbol included: relocations refer to them by position. */
  readonly symbols: readonly ElfSymbol[];
  /** Every function in an executable section, sorted by section, then offset. */
  readonly functions: readonly BpfFunction[];
  /** The functions that a loader turns into programs: those outside `.text`. */
  readonly programs: readonly BpfFunction[];
  /** Sorted by section, then offset; empty when the object has no static branch. */
  readonly keys: readonly StaticKey[];
}

export interface Section {
  readonly index: number;
  readonly name: string;
  /** `sh_type` of the ELF specification. */
  readonly type: number;
  readonly executable: boolean;
  readonly writable: boolean;
  readonly allocated: boolean;
  /** Size in memory; a `.bss` has no bytes in the file. */
  readonly size: number;
  /** A view of the object, not a copy; empty for a section without bytes in the file. */
  readonly bytes: Uint8Array;
  /** Those that apply to this section, sorted by offset. */
  readonly relocations: readonly Relocation[];
}

export interface ElfSymbol {
  readonly name: string;
  /** `STT_*`: object, function, section, … */
  readonly type: number;
  readonly global: boolean;
  /** Index of the section it is defined in; absent for undefined, absolute and common symbols. */
  readonly section: number | undefined;
  /** Bytes into the section. */
  readonly offset: number;
  readonly size: number;
}

export interface Relocation {
  /** Bytes into the section that it applies to. */
  readonly offset: number;
  /** `R_BPF_*`, see relocations.ts. */
  readonly type: number;
  readonly symbol: ElfSymbol;
}

export interface BpfFunction {
  readonly name: string;
  /** As in SEC(): "xdp", "tc", "raw_tp/sys_enter", or ".text" for subprograms. */
  readonly section: string;
  /** First instruction slot within the section. */
  readonly instruction: number;
  /** Number of instruction slots. */
  readonly length: number;
  /** Static functions are verified at each call, global ones once on their own. */
  readonly global: boolean;
  /** A view of the object: `8 * length` bytes. */
  readonly bytes: Uint8Array;
}

/** A plain `int` that selects branches. */
export interface StaticKey {
  readonly name: string;
  /** The writable data section that holds it, as libbpf names its map: ".data.static_keys", ".bss", … */
  readonly section: string;
  /** Bytes into the section, and so into the map's only value. */
  readonly offset: number;
  /** The initial value. */
  readonly declared: boolean;
  /** Sorted by section, then instruction. Never empty. */
  readonly sites: readonly StaticBranch[];
}

/**
 * How a site is written:
 * - `default`: `rX = key ll; rX = *(u32 *)(rX + 0); if rX != 0 goto`, named by `.static_keys`. The only one that
 *   a stock kernel takes as it is; skein.bpf.h writes it with r0.
 * - `section`: `goto +0`, or `goto` for an inverse site, named by the section `KEY.static_branch`.
 * - `self-compare`: `rX = key ll; if rX != rX goto`, or `==` for an inverse site; r0 and r11 only, named by nothing.
 * - `selectable-ja`: a `goto` or `gotol` with src_reg 3, or 1 for an inverse site, named by either.
 */
export type Encoding = 'default' | 'section' | 'self-compare' | 'selectable-ja';

/** A site: one jump that a key governs. */
export interface StaticBranch {
  /** Name of the key. */
  readonly key: string;
  /** The executable section it is in. */
  readonly section: string;
  /** The function that it is in. */
  readonly function: string;
  /** Slot of the jump within the section. */
  readonly instruction: number;
  /** Slot of the first instruction that serves the site alone: that of the key's load, or the jump. */
  readonly start: number;
  /** Slot that the jump goes to when it is taken, within the section. */
  readonly target: number;
  /** "On" means fall through (the on side is laid out in line), not jump. */
  readonly inverse: boolean;
  readonly encoding: Encoding;
  /** Absent when the object was compiled without -g. */
  readonly source: SourceLine | undefined;
}

export interface SourceLine {
  /** As the compiler was given it. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

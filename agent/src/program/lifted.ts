import type { Encoding, ObjectSpec } from '../object/spec.ts';

/**
 * A BPF object taken apart so that it can be edited: whatever a change of the code would displace hangs on an
 * instruction, not on an offset. Never changed once made: an edit makes a new one, which shares the functions
 * that it left alone.
 */
export interface LiftedObject {
  readonly spec: ObjectSpec;
  readonly elf: ElfImage;
  /** Sorted by section, then place. */
  readonly functions: readonly LiftedFunction[];
  /** The symbol number of each key's variable, by name. */
  readonly keySymbols: ReadonlyMap<string, number>;
  /** Absent when the object has no `.BTF.ext`. */
  readonly ext: LiftedExt | undefined;
  /** Code was changed: what cannot be kept right (DWARF) is left out from now on. */
  readonly edited: boolean;
}

/** What the spec leaves out of an ELF file and lower() must write again. */
export interface ElfImage {
  readonly header: Uint8Array;
  /** One for each section of the spec. */
  readonly sectionHeaders: readonly SectionHeader[];
  /** Section numbers; 0 where the object has none. */
  readonly symbolTable: number;
  readonly sectionNames: number;
  /** The symbol that stands for a section, by section number. */
  readonly sectionSymbols: ReadonlyMap<number, number>;
}

/** An ELF-64 section header as it is in the file. */
export interface SectionHeader {
  readonly name: number;
  readonly type: number;
  readonly flags: bigint;
  readonly address: bigint;
  readonly fileOffset: number;
  readonly link: number;
  readonly info: number;
  readonly alignment: number;
  readonly entrySize: bigint;
}

/** Stays the same through edits; it is the place in the first object's list of functions. */
export type FunctionId = number;

export interface LiftedFunction {
  readonly id: FunctionId;
  readonly name: string;
  /** Section number. */
  readonly section: number;
  /** Symbol number. */
  readonly symbol: number;
  /** A loader makes a program of it; else it is a subprogram. */
  readonly program: boolean;
  /** Data points at it, so it must stay. */
  readonly pinned: boolean;
  /** Its record in func_info. */
  readonly info: ExtRecord | undefined;
  /** In order; falling through goes to the next one. Never empty. */
  readonly body: readonly Instruction[];
}

export interface Instruction {
  opcode: number;
  dst: number;
  src: number;
  /** Without meaning for a jump: see `target`. */
  offset: number;
  /** Without meaning for a gotol, a call of a function and the address of one. */
  imm: number;
  /** High half of the constant of an ld_imm64, which takes two slots; undefined for all others. */
  wide: number | undefined;
  /** Where a jump goes; for a site, where it goes when it is taken. Within the same function. */
  target: Instruction | undefined;
  /** Of this object; for a call, or an ld_imm64 of a function's address. */
  callee: FunctionId | undefined;
  relocation: SymbolUse | undefined;
  site: Site | undefined;
  /** The line record that begins here. */
  line: ExtRecord | undefined;
  /** Of an edited function: the record that covers the instruction when none begins here. */
  inheritedLine: ExtRecord | undefined;
  notes: Notes | undefined;
  /** Scratch of one pass at a time: where it is. Much cheaper than a Map of 50,000 instructions. */
  mark: number;
}

/** What few instructions have. */
export interface Notes {
  /** Numbers of symbols that are here, other than that of the function. */
  readonly labels: number[];
  /** CO-RE relocations of this instruction. */
  readonly coRe: ExtRecord[];
  /** Words in data that hold this address. */
  readonly pointers: CodePointer[];
}

export interface SymbolUse {
  /** `R_BPF_*` */
  readonly type: number;
  /** Symbol number. */
  readonly symbol: number;
}

/** What makes a jump a static branch. */
export interface Site {
  readonly key: string;
  readonly encoding: Encoding;
  /** Jumps while the key is off. */
  readonly inverse: boolean;
  /** Absent for an encoding that no table names. */
  readonly entry: TableEntry | undefined;
}

export interface TableEntry {
  /** Number of the table's section; undefined for a new entry of `.static_keys`. */
  readonly table: number | undefined;
  /** Place among the entries of the table. */
  readonly order: number;
  readonly site: SymbolUse;
  readonly target: SymbolUse;
  /** Of an entry of `.static_keys`: how it names the key, and its addend there, which has the polarity. */
  readonly key: (SymbolUse & { readonly addend: bigint }) | undefined;
}

/** A word of a data section with the address of an instruction. */
export interface CodePointer extends SymbolUse {
  /** Section number, and bytes into the section. */
  readonly section: number;
  readonly offset: number;
  /** 4 or 8 bytes. */
  readonly width: number;
}

/** A record of `.BTF.ext`; its first word is overwritten with the instruction's offset. */
export interface ExtRecord {
  readonly bytes: Uint8Array;
  /** Of the first word, in `.rel.BTF.ext`. */
  readonly relocation: SymbolUse | undefined;
}

export type ExtKind = 'function' | 'line' | 'coRe';
export const EXT_KINDS: readonly ExtKind[] = ['function', 'line', 'coRe'];

export interface LiftedExt {
  /** Section number of `.BTF.ext`. */
  readonly section: number;
  /** The whole header, with offsets and lengths to be overwritten. */
  readonly header: Uint8Array;
  /** Those that the header has room for. */
  readonly tables: readonly ExtTable[];
}

export interface ExtTable {
  readonly kind: ExtKind;
  /** Bytes; 0 for a table without records. */
  readonly recordSize: number;
  readonly blocks: readonly ExtBlock[];
}

/** The records of one executable section. */
export interface ExtBlock {
  /** Into the strings of .BTF. */
  readonly name: number;
  /** Section number; the records hang on its code. Undefined: about a section that this object does not have. */
  readonly section: number | undefined;
  /** Records of such a section, as they are. */
  readonly foreign: Uint8Array;
}

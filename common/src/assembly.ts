import type { SiteReport } from './site.ts';

/** A program in assembly, with what it calls behind it. */
export interface Assembly {
  readonly name: string;
  /** As in SEC(). */
  readonly section: string;
  /** Without the second slots of constants. */
  readonly instructions: readonly AssemblyInstruction[];
}

export interface AssemblyInstruction {
  /** Slot of the program as it is loaded. */
  readonly instruction: number;
  readonly opcode: number;
  readonly function: string;
  readonly text: string;
  readonly source: { readonly file: string; readonly line: number } | undefined;
  readonly site: AssemblySite | undefined;
}

/** A static branch that an instruction is part of. */
export interface AssemblySite {
  readonly key: string;
  readonly encoding: SiteReport['encoding'];
  readonly inverse: boolean;
  /** Slot that it goes to when it is taken. */
  readonly target: number;
  /** The jump, not what comes before it to name the key. */
  readonly isJump: boolean;
  /** What became of it where it was loaded; absent for an object that is only read. */
  readonly live: SiteLife | undefined;
}

export type SiteLife = Pick<SiteReport, 'on' | 'state'>;

/** Which program of a host. */
export interface DumpQuery {
  readonly unit: string;
  readonly program: string;
  /** How many instructions to pass over. */
  readonly offset: number;
}

export interface DumpPage {
  readonly section: string;
  /** At most {@link INSTRUCTIONS_PER_PAGE}. */
  readonly instructions: readonly AssemblyInstruction[];
  /** All of the program. */
  readonly total: number;
}

/** Keeps a reply below the 1 MiB that NATS carries in one message. */
const INSTRUCTIONS_PER_PAGE = 1_000;

/** The page of a program that begins after `offset` instructions. */
export function pageOfAssembly({ section, instructions }: Assembly, offset: number): DumpPage {
  return {
    section,
    instructions: instructions.slice(offset, offset + INSTRUCTIONS_PER_PAGE),
    total: instructions.length,
  };
}

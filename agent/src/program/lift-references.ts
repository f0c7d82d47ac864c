import { CALL, LD_IMM64, PSEUDO_CALL, PSEUDO_FUNC, SLOT } from '../object/instructions.ts';
import { R_BPF_64_32, R_BPF_64_64 } from '../object/relocations.ts';
import type { ElfSymbol, ObjectSpec } from '../object/spec.ts';
import { badInstruction } from './bad-instruction.ts';
import type { Instruction } from './lifted.ts';
import type { LiftedCode } from './lifted-code.ts';

/** Hangs on instructions what they name: symbols by their relocations, and functions of this object. */
export function hangReferences(spec: ObjectSpec, code: LiftedCode): void {
  hangRelocations(spec, code);
  hangCalls(spec, code);
}

/** A code relocation names what the instruction is about: data, something outside, or a function. */
function hangRelocations(spec: ObjectSpec, code: LiftedCode): void {
  const numbers = new Map(spec.symbols.map((symbol, number) => [symbol, number]));
  for (const [index, inSection] of code.slots) {
    const section = spec.sections[index];
    for (const { offset, type, symbol } of section?.relocations ?? []) {
      const name = section?.name ?? '';
      const slot = Math.floor(offset / SLOT);
      const instruction = offset % SLOT === 0 ? inSection[slot] : undefined;
      if (instruction === undefined)
        throw badInstruction(name, slot, 'a relocation that is not at an instruction');
      if (instruction.relocation !== undefined)
        throw badInstruction(name, slot, 'a second relocation of the same instruction');
      instruction.relocation = { type, symbol: numbers.get(symbol) ?? 0 };
      if (symbol.section !== undefined && code.starts.has(symbol.section))
        instruction.callee = relocatedCallee(code, name, slot, instruction, type, symbol);
    }
  }
}

function relocatedCallee(
  { starts }: LiftedCode,
  section: string,
  slot: number,
  { opcode, imm }: Instruction,
  type: number,
  symbol: ElfSymbol,
): number {
  let offset: number;
  // The addends are those that libbpf applies, bpf_object__reloc_code().
  if (opcode === CALL && type === R_BPF_64_32) offset = symbol.offset + SLOT * (imm + 1);
  else if (opcode === LD_IMM64 && type === R_BPF_64_64) offset = symbol.offset + imm;
  else throw badInstruction(section, slot, `relocation type ${type} against code`);
  const callee = starts.get(symbol.section ?? 0)?.get(offset / SLOT);
  if (callee === undefined)
    throw badInstruction(section, slot, `no function starts at 0x${offset.toString(16)}`);
  return callee.id;
}

/** Calls within a section need no relocation. */
function hangCalls(spec: ObjectSpec, { slots, starts }: LiftedCode): void {
  for (const [index, inSection] of slots) {
    const section = spec.sections[index]?.name ?? '';
    inSection.forEach((instruction, slot) => {
      if (instruction === undefined || instruction.relocation !== undefined) return;
      const { opcode, src, imm } = instruction;
      if (opcode === LD_IMM64 && src === PSEUDO_FUNC)
        throw badInstruction(section, slot, 'the address of a function without a relocation');
      if (opcode !== CALL || src !== PSEUDO_CALL) return;
      const callee = starts.get(index)?.get(slot + 1 + imm);
      if (callee === undefined)
        throw badInstruction(
          section,
          slot,
          `a call to ${slot + 1 + imm}, where no function starts`,
        );
      instruction.callee = callee.id;
    });
  }
}

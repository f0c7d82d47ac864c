import { slotsOf } from './instruction.ts';
import type { FunctionId, Instruction, LiftedFunction, LiftedObject } from './lifted.ts';

/** Where everything goes. Slots count from the start of the section. */
export interface Layout {
  /** By section number, in order. */
  readonly functions: ReadonlyMap<number, readonly LiftedFunction[]>;
  /** Of an instruction of this object, until another one is laid out. */
  readonly slotOf: (instruction: Instruction) => number;
  readonly starts: ReadonlyMap<FunctionId, number>;
  /** By section number: its size. */
  readonly sizes: ReadonlyMap<number, number>;
}

/** Functions one after the other, as they were in each executable section. */
export function layOut({ spec, functions }: LiftedObject): Layout {
  const bySection = Map.groupBy(functions, (fn) => fn.section);
  const starts = new Map<FunctionId, number>();
  const sizes = new Map<number, number>();
  for (const { index } of spec.sections.filter((each) => each.executable)) {
    let slot = 0;
    for (const { id, body } of bySection.get(index) ?? []) {
      starts.set(id, slot);
      for (const instruction of body) {
        instruction.mark = slot;
        slot += slotsOf(instruction);
      }
    }
    sizes.set(index, slot);
  }
  return { functions: bySection, slotOf: ({ mark }) => mark, starts, sizes };
}

import { type Dependencies, NONE, OWN_REGISTERS, OWN_SLOTS, placeOf } from './dependencies.ts';
import { pointer, type Register, UNINITIALISED } from './register.ts';
import type { Slot } from './stack-slot.ts';

export const FRAME_POINTER = 10;
export const MAX_STACK = 512;
export const MAX_FRAMES = 8;

/** A function that is being run: struct bpf_func_state. */
export interface Frame {
  readonly number: number;
  /** Index of the function. */
  readonly fn: number;
  /** Slot of the call; -1 for the main function. */
  readonly callSite: number;
  /** A helper function calls it, as often as it likes. */
  readonly isCallback: boolean;
  readonly registers: Register[];
  /** Index 0 is the slot just below the frame pointer. Only as many as were used. */
  readonly stack: (Slot | undefined)[];
  /** What each number depends on; see dependencies.ts. */
  readonly registerSources: Dependencies[];
  readonly slotSources: Dependencies[];
}

/** What is known at a point of one way through the program: struct bpf_verifier_state. */
export interface State {
  /** The main function's first; never empty. */
  readonly frames: Frame[];
  /** Acquired, and not yet released. */
  readonly references: number[];
  /** Calls of callbacks on the way here, which tell the turns of such a loop apart. */
  callbacks: number;
}

export function newFrame(number: number, fn: number, callSite: number, isCallback = false): Frame {
  const registers = new Array<Register>(FRAME_POINTER + 1).fill(UNINITIALISED);
  registers[FRAME_POINTER] = pointer('stack', { frame: number });
  return {
    number,
    fn,
    callSite,
    isCallback,
    registers,
    stack: [],
    registerSources: new Array<Dependencies>(FRAME_POINTER + 1).fill(NONE),
    slotSources: [],
  };
}

export function copyState(state: State): State {
  const { frames, references, callbacks } = state;
  return { frames: frames.map(copyFrame), references: references.slice(), callbacks };
}

const copyFrame = (frame: Frame): Frame => ({
  number: frame.number,
  fn: frame.fn,
  callSite: frame.callSite,
  isCallback: frame.isCallback,
  registers: frame.registers.slice(),
  stack: frame.stack.slice(),
  registerSources: frame.registerSources.slice(),
  slotSources: frame.slotSources.slice(),
});

/** From here on, what is known of each register depends on that register at this point. */
export function restartSources(state: State): void {
  for (const frame of state.frames) {
    const own = OWN_REGISTERS[frame.number] ?? [];
    for (let n = 0; n < own.length; n++) frame.registerSources[n] = own[n] ?? NONE;
    const slots = OWN_SLOTS[frame.number] ?? [];
    for (let n = 0; n < frame.stack.length; n++) frame.slotSources[n] = slots[n] ?? NONE;
  }
}

/** What a place of the state depends on. */
export function sourcesOf(state: State, place: number): Dependencies {
  const { frame, register, slot } = placeOf(place);
  const found = state.frames[frame];
  const sources =
    register === undefined ? found?.slotSources[slot ?? 0] : found?.registerSources[register];
  return sources ?? NONE;
}

/** Replaces registers and spilled registers, in all frames. */
export function replaceRegisters(state: State, replace: (register: Register) => Register): void {
  for (const { registers, stack } of state.frames) {
    for (let n = 0; n < registers.length; n++) {
      const register = registers[n];
      if (register !== undefined) registers[n] = replace(register);
    }
    for (let n = 0; n < stack.length; n++) {
      const slot = stack[n];
      if (slot?.spilled === undefined) continue;
      const spilled = replace(slot.spilled);
      if (spilled !== slot.spilled) stack[n] = { types: slot.types, spilled };
    }
  }
}

import { type Checkpoint, requirePrecise } from './checkpoint.ts';
import { type Dependencies, NONE } from './dependencies.ts';
import type { Program } from './program.ts';
import { Refusal } from './refusal.ts';
import { ANY_SCALAR, type Register } from './register.ts';
import type { Frame, State } from './state.ts';

/** One way through the program as far as it has come, and what all ways share. Instructions change it. */
export class Walk {
  readonly program: Program;
  /** Bytes of stack used, by function. */
  readonly stackDepth: number[];
  state: State;
  /** Slot of the instruction. */
  at = 0;
  /** The last one on this way. */
  checkpoint: Checkpoint | undefined;
  #lastId = 0;

  constructor(program: Program, state: State, stackDepth: number[]) {
    this.program = program;
    this.state = state;
    this.stackDepth = stackDepth;
  }

  /** Of the function that is being run. */
  get frame(): Frame {
    return this.frameAt(this.state.frames.length - 1);
  }

  frameAt(number: number): Frame {
    const frame = this.state.frames[number];
    if (frame === undefined) throw new Error(`no frame ${number}`);
    return frame;
  }

  newId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  /** @throws Refusal when nothing was written to it */
  read(register: number): Register {
    const found = this.frame.registers[register];
    if (found === undefined || found.kind === 'uninitialised') this.refuse(`R${register} !read_ok`);
    return found;
  }

  /** The number that the instruction holds. */
  immediate(): Register {
    return this.program.immediates[this.at] ?? ANY_SCALAR;
  }

  sources(register: number): Dependencies {
    return this.frame.registerSources[register] ?? NONE;
  }

  write(register: number, value: Register, sources: Dependencies = NONE): void {
    const { registers, registerSources } = this.frame;
    registers[register] = value;
    registerSources[register] = sources;
  }

  /** The walk goes on because of this number: another one might not be safe. */
  requirePrecise(sources: Dependencies): void {
    if (sources.length > 0) requirePrecise(sources, this.checkpoint);
  }

  refuse(reason: string): never {
    throw new Refusal(this.at, reason);
  }
}

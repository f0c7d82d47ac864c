/** Thrown inside the verifier where a program is refused; verify() turns it into a result. */
export class Refusal extends Error {
  /** Slot of the instruction. */
  readonly instruction: number;

  constructor(instruction: number, reason: string) {
    super(reason);
    this.instruction = instruction;
  }
}

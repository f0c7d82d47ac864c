import { mergeNotes } from './instruction.ts';
import type { Instruction } from './lifted.ts';

/** Replaces instructions of a body by others, in place. The body's instructions are changed. */
export class Splice {
  readonly #body: readonly Instruction[];
  readonly #replacements = new Map<Instruction, readonly Instruction[]>();
  readonly #appended: Instruction[] = [];

  constructor(body: readonly Instruction[]) {
    this.#body = body;
  }

  /** Jumps to `old` will go to the first of `replacement`, or to what follows when it is empty. */
  replace(old: Instruction, replacement: readonly Instruction[]): void {
    this.#replacements.set(old, replacement);
  }

  /** Puts code, which must not fall through, behind everything; it counts as of the line of `origin`. */
  append(code: readonly Instruction[], origin: Instruction): void {
    for (const instruction of code) instruction.inheritedLine = origin.line ?? origin.inheritedLine;
    this.#appended.push(...code);
  }

  run(): Instruction[] {
    const body: Instruction[] = [];
    const heirs = new Map<Instruction, Instruction>();
    /** Removed, and waiting for what follows to take over what hung on them. */
    let orphans: Instruction[] = [];
    let line = this.#body[0]?.line;
    for (const old of this.#body) {
      line = old.line ?? old.inheritedLine ?? line;
      const replacement = this.#replacements.get(old) ?? [old];
      if (replacement[0] !== old) orphans.push(old);
      for (const instruction of replacement) instruction.inheritedLine ??= line;
      const first = replacement[0];
      if (first !== undefined) {
        for (const orphan of orphans) {
          heirs.set(orphan, first);
          first.line ??= orphan.line;
          first.notes = mergeNotes(first.notes, orphan.notes);
        }
        orphans = [];
      }
      body.push(...replacement);
    }
    body.push(...this.#appended);
    for (const instruction of body) {
      if (instruction.target !== undefined)
        instruction.target = heirs.get(instruction.target) ?? instruction.target;
    }
    return body;
  }
}

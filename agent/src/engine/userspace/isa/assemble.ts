import type { RawInstruction } from '#agent/object/instructions.ts';
import { operationOf } from './opcodes.ts';
import { labelOf, type Parsed, parseInstruction } from './parse-instruction.ts';
import { Tokens } from './tokens.ts';

/**
 * Slots from assembly in the syntax of the verifier's log and of clang, one instruction a line. `name:` is a label;
 * `//`, and `#` after a space, begin a comment. A line may carry the number and opcode of disassembleAll().
 * @throws SkeinError SKEIN_INVALID_ARGUMENT with line and column, both from 1
 */
export function assemble(source: string): RawInstruction[] {
  const labels = new Map<string, number>();
  const jumps: { readonly at: number; readonly label: NonNullable<Parsed['label']> }[] = [];
  const slots: RawInstruction[] = [];
  for (const [index, text] of source.split('\n').entries()) {
    const tokens = new Tokens(instructionOf(text), index + 1);
    while (tokens.peek(1) === ':') {
      const twice = tokens.error('a label given twice');
      const label = tokens.take('a label', labelOf);
      if (labels.has(label)) throw twice;
      labels.set(label, slots.length);
      tokens.expect(':');
    }
    if (tokens.atEnd) continue;
    const { slots: made, label } = parseInstruction(tokens);
    if (label !== undefined) jumps.push({ at: slots.length, label });
    slots.push(...made);
  }
  for (const { at, label } of jumps) {
    const target = labels.get(label.name);
    const jump = slots[at];
    const resolved = target !== undefined && jump && withDistance(jump, target - at - 1);
    if (!resolved) throw label.unknown;
    slots[at] = resolved;
  }
  return slots;
}

/** The line with all else blanked out, so that columns stay. */
function instructionOf(line: string): string {
  return line
    .replace(/^\s*\d+:(\s*\([0-9a-f]{2}\))?/, (prefix) => ' '.repeat(prefix.length))
    .replace(/\/\/.*$|(?<=^|\s)#.*$/, '');
}

/** Undefined: farther than the field can say. */
function withDistance(jump: RawInstruction, distance: number): RawInstruction | undefined {
  const operation = operationOf(jump);
  if (operation?.kind === 'call' || (operation?.kind === 'goto' && operation.long))
    return { ...jump, imm: distance };
  return distance === (distance << 16) >> 16 ? { ...jump, offset: distance } : undefined;
}

import type { RawInstruction } from '#agent/object/instructions.ts';
import type { Operation, Source } from './opcodes.ts';

type Field = 'dst' | 'src' | 'offset' | 'imm';

/** A field that the operation does not use and that is not zero, or an ld_imm64 that is not whole. */
export function problemOfFields(
  operation: Operation,
  instruction: RawInstruction,
  next: RawInstruction | undefined,
): string | undefined {
  for (const field of reservedOf(operation)) {
    if (instruction[field] !== 0) return `reserved field ${field} is ${instruction[field]}, not 0`;
  }
  if (operation.kind === 'constant') return problemOfConstant(operation.of, next);
  if (operation.kind === 'goto' && operation.selectable !== undefined && operation.distance === 0)
    return 'a static branch to +0';
  return undefined;
}

function reservedOf(operation: Operation): readonly Field[] {
  switch (operation.kind) {
    case 'alu':
      // Of div and mod the offset tells signed from unsigned.
      return (operation.signed ? UNUSED : UNUSED_AND_OFFSET)[operation.source];
    case 'store':
    case 'branch':
      return UNUSED[operation.source];
    case 'goto':
      return operation.long ? RESERVED.gotol : RESERVED.goto;
    default:
      return RESERVED[operation.kind];
  }
}

const UNUSED: Readonly<Record<Source, readonly Field[]>> = { reg: ['imm'], imm: ['src'] };
const UNUSED_AND_OFFSET: Readonly<Record<Source, readonly Field[]>> = {
  reg: ['imm', 'offset'],
  imm: ['src', 'offset'],
};

const RESERVED = {
  negate: ['src', 'offset', 'imm'],
  'sign-extend': ['imm'],
  'byte-order': ['src', 'offset'],
  load: ['imm'],
  atomic: [],
  constant: ['offset'],
  goto: ['dst', 'imm'],
  gotol: ['dst', 'offset'],
  call: ['dst', 'offset'],
  exit: ['dst', 'src', 'offset', 'imm'],
} as const satisfies Record<string, readonly Field[]>;

function problemOfConstant(of: string, next: RawInstruction | undefined): string | undefined {
  if (next === undefined) return 'the second half is missing';
  const { opcode, dst, src, offset, imm } = next;
  if (opcode !== 0 || dst !== 0 || src !== 0 || offset !== 0)
    return 'the second half has reserved fields that are not 0';
  const whole = of === 'number' || of === 'variable' || of.startsWith('map-value');
  return whole || imm === 0 ? undefined : 'the high half of the constant is not 0';
}

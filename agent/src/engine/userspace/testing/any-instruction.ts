import fc from 'fast-check';
import type { RawInstruction } from '#agent/object/instructions.ts';
import { constantTail, encode } from '../isa/encode.ts';
import {
  ALU_OPS,
  type AluOp,
  COMPARISONS,
  CONSTANTS,
  type Comparison,
  type Operation,
} from '../isa/opcodes.ts';

const bool = fc.boolean();
const source = fc.constantFrom('imm' as const, 'reg' as const);
const bytes = fc.constantFrom(1 as const, 2 as const, 4 as const, 8 as const);
const int16 = fc.integer({ min: -0x8000, max: 0x7fff });
const int32 = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff });
const register = fc.integer({ min: 0, max: 10 });

const aluOp = fc.constantFrom(...ALU_OPS.filter((op): op is AluOp => op !== undefined));
const comparison = fc.constantFrom(
  ...COMPARISONS.filter((op): op is Comparison => op !== undefined),
);
const selectable = fc.constantFrom('goto-or-nop' as const, 'nop-or-goto' as const, undefined);

/** Every operation there is. */
export const anyOperation: fc.Arbitrary<Operation> = fc
  .oneof<fc.Arbitrary<Operation>[]>(
    fc
      .record({ kind: fc.constant('alu' as const), is64: bool, op: aluOp, source, signed: bool })
      .map((alu) => ({ ...alu, signed: alu.signed && (alu.op === 'div' || alu.op === 'mod') })),
    fc.record({ kind: fc.constant('negate' as const), is64: bool }),
    fc
      .record({
        kind: fc.constant('sign-extend' as const),
        is64: bool,
        bits: fc.constantFrom(8 as const, 16 as const, 32 as const),
      })
      .map((each) => (each.bits === 32 ? { ...each, is64: true } : each)),
    fc.record({
      kind: fc.constant('byte-order' as const),
      order: fc.constantFrom('le' as const, 'be' as const, 'bswap' as const),
      bits: fc.constantFrom(16 as const, 32 as const, 64 as const),
    }),
    fc
      .record({ kind: fc.constant('load' as const), bytes, signed: bool })
      .map((load) => ({ ...load, signed: load.signed && load.bytes !== 8 })),
    fc.record({ kind: fc.constant('store' as const), bytes, source }),
    fc
      .record({
        kind: fc.constant('atomic' as const),
        bytes: fc.constantFrom(4 as const, 8 as const),
        op: fc.constantFrom('add', 'or', 'and', 'xor', 'xchg', 'cmpxchg' as const),
        fetch: bool,
      })
      .map((each) => ({
        ...each,
        fetch: each.fetch || each.op === 'xchg' || each.op === 'cmpxchg',
      })),
    fc.record({ kind: fc.constant('constant' as const), of: fc.constantFrom(...CONSTANTS) }),
    fc.oneof(
      fc.record({
        kind: fc.constant('goto' as const),
        long: fc.constant(false),
        distance: int16,
        selectable,
      }),
      fc.record({
        kind: fc.constant('goto' as const),
        long: fc.constant(true),
        distance: int32,
        selectable,
      }),
    ),
    fc.record({ kind: fc.constant('branch' as const), is64: bool, op: comparison, source }),
    fc.record({
      kind: fc.constant('call' as const),
      callee: fc.constantFrom('helper', 'subprogram', 'kernel-function' as const),
    }),
    fc.constant({ kind: 'exit' as const }),
  )
  // Records of fast-check have no prototype, which deepEqual minds.
  .map((operation) => ({ ...operation }));

/** The slots of any instruction, with its reserved fields zero. Where it jumps to need not exist. */
export const anyInstruction: fc.Arbitrary<readonly RawInstruction[]> = fc
  .record({
    operation: anyOperation,
    dst: register,
    src: register,
    offset: int16,
    imm: int32,
    high: int32,
  })
  .map((parts) => slotsWith(parts.operation, parts));

interface Parts {
  readonly dst: number;
  readonly src: number;
  readonly offset: number;
  readonly imm: number;
  readonly high: number;
}

function slotsWith(
  operation: Operation,
  { dst, src, offset, imm, high }: Parts,
): readonly RawInstruction[] {
  const reg = 'source' in operation && operation.source === 'reg' ? { src } : { imm };
  switch (operation.kind) {
    case 'alu':
      return [encode(operation, { dst, ...reg })];
    case 'sign-extend':
      return [encode(operation, { dst, src })];
    case 'negate':
    case 'byte-order':
      return [encode(operation, { dst })];
    case 'load':
    case 'atomic':
      return [encode(operation, { dst, src, offset })];
    case 'store':
    case 'branch':
      return [encode(operation, { dst, offset, ...reg })];
    case 'constant': {
      const tail = /^(map-fd|map-index|subprogram)$/.test(operation.of) ? 0 : high;
      return [encode(operation, { dst, imm }), constantTail(tail)];
    }
    case 'goto':
    case 'exit':
      return [encode(operation)];
    case 'call':
      return [encode(operation, { imm: operation.callee === 'helper' ? imm & 0x7fff_ffff : imm })];
  }
}

import type { RawInstruction } from '#agent/object/instructions.ts';
import type { SkeinError } from '#common/errors.ts';
import { encode, type Fields } from './encode.ts';
import type { AluOp, AtomicOp, Comparison, Goto, Operation } from './opcodes.ts';
import {
  atomicType,
  integer16,
  integer32,
  memoryType,
  operand,
  place,
  type Register,
  register,
  registerOf,
  UNSIGNED,
} from './parse-operand.ts';
import { parseValue } from './parse-value.ts';
import { ALU_SIGNS, COMPARISON_SIGNS, LOCK_SIGNS } from './syntax.ts';
import type { Tokens } from './tokens.ts';

/** The slots of one instruction. */
export interface Parsed {
  readonly slots: readonly RawInstruction[];
  /** Where it goes, by name: its distance is still to be put in. */
  readonly label?: Label;
}

interface Label {
  readonly name: string;
  /** What to throw when there is no such label. */
  readonly unknown: SkeinError;
}

/** @throws SkeinError SKEIN_INVALID_ARGUMENT with line and column */
export function parseInstruction(tokens: Tokens): Parsed {
  const parsed = parse(tokens);
  tokens.expectEnd();
  return parsed;
}

function parse(tokens: Tokens): Parsed {
  const goto = GOTOS.get(tokens.peek());
  if (goto !== undefined) {
    tokens.expect(tokens.peek());
    const { distance, ...label } = target(tokens, goto.long ? integer32 : integer16);
    return { slots: [encode({ ...goto, distance })], ...label };
  }
  if (tokens.skip('exit')) return one({ kind: 'exit' });
  if (tokens.skip('call')) return parseCall(tokens);
  if (tokens.skip('if')) return parseBranch(tokens);
  if (tokens.skip('lock')) return parseLock(tokens);
  if (tokens.peek() === '*') return parseStore(tokens);
  return parseAssignment(tokens);
}

const one = (operation: Operation, fields?: Fields): Parsed => ({
  slots: [encode(operation, fields)],
});

type GotoForm = Omit<Goto, 'distance'>;

const GOTOS: ReadonlyMap<string, GotoForm> = new Map<string, GotoForm>([
  ['goto', { kind: 'goto', long: false, selectable: undefined }],
  ['gotol', { kind: 'goto', long: true, selectable: undefined }],
  ['goto_or_nop', { kind: 'goto', long: false, selectable: 'goto-or-nop' }],
  ['gotol_or_nop', { kind: 'goto', long: true, selectable: 'goto-or-nop' }],
  ['nop_or_goto', { kind: 'goto', long: false, selectable: 'nop-or-goto' }],
  ['nop_or_gotol', { kind: 'goto', long: true, selectable: 'nop-or-goto' }],
]);

/** `pc+3`, `+3` or a label. */
function target(
  tokens: Tokens,
  integer: (tokens: Tokens, what: string) => number,
): { readonly distance: number; readonly label?: Label } {
  if (tokens.peek() === 'pc' && /^[-+]$/.test(tokens.peek(1))) tokens.expect('pc');
  if (/^[-+]$/.test(tokens.peek())) return { distance: integer(tokens, 'a distance') };
  const unknown = tokens.error('no label within reach');
  return { distance: 0, label: { name: tokens.take('a label or distance', labelOf), unknown } };
}

export function labelOf(text: string): string | undefined {
  return /^[A-Za-z_.$]/.test(text) ? text : undefined;
}

function parseCall(tokens: Tokens): Parsed {
  if (/^\d/.test(tokens.peek()))
    return one({ kind: 'call', callee: 'helper' }, { imm: integer32(tokens, 'a helper') });
  if (tokens.peek(1) === '#') {
    const callee = tokens.peek() === 'kernel-function' ? 'kernel-function' : 'helper';
    tokens.expect(tokens.peek(), '#');
    return one({ kind: 'call', callee }, { imm: integer32(tokens, 'a number') });
  }
  const { distance: imm, ...label } = target(tokens, integer32);
  return { ...one({ kind: 'call', callee: 'subprogram' }, { imm }), ...label };
}

function parseBranch(tokens: Tokens): Parsed {
  const left = register(tokens);
  const op = tokens.take('a comparison', (text) => COMPARISONS.get(text));
  const { source, src, imm } = operand(tokens, left);
  tokens.expect('goto');
  const { distance: offset, ...label } = target(tokens, integer16);
  const fields = { dst: left.number, src, imm, offset };
  return { ...one({ kind: 'branch', is64: left.is64, op, source }, fields), ...label };
}

/** `lock *(u64 *)(r1 +0) += r2` */
function parseLock(tokens: Tokens): Parsed {
  tokens.expect('*');
  const bytes = atomicType(tokens);
  const { base, offset } = place(tokens);
  const op = tokens.take('an atomic operation', (text) => LOCKS.get(text));
  const fields = { dst: base, src: register(tokens).number, offset };
  return one({ kind: 'atomic', bytes, op, fetch: false }, fields);
}

/** `*(u32 *)(r1 +4) = r2` */
function parseStore(tokens: Tokens): Parsed {
  tokens.expect('*');
  const bytes = memoryType(tokens, 'u8, u16, u32 or u64', (type) => UNSIGNED.get(type));
  const { base, offset } = place(tokens);
  tokens.expect('=');
  const value = registerOf(tokens.peek());
  if (value === undefined) {
    const imm = integer32(tokens, 'a register or number');
    return one({ kind: 'store', bytes, source: 'imm' }, { dst: base, offset, imm });
  }
  tokens.expect(tokens.peek());
  return one({ kind: 'store', bytes, source: 'reg' }, { dst: base, src: value.number, offset });
}

function parseAssignment(tokens: Tokens): Parsed {
  const left = tokens.take('an instruction', registerOf);
  const { op, signed } = tokens.take('an operation', (text) => ALU.get(text));
  const value = op === 'mov' ? parseValue(tokens, left) : undefined;
  return value === undefined ? parseAlu(tokens, left, op, signed) : { slots: value };
}

function parseAlu(tokens: Tokens, left: Register, op: AluOp, signed: boolean): Parsed {
  const { source, src, imm } = operand(tokens, left);
  const fields = { dst: left.number, src, imm };
  return one({ kind: 'alu', is64: left.is64, op, source, signed }, fields);
}

const COMPARISONS = inverse<Comparison>(COMPARISON_SIGNS);
const LOCKS = inverse<AtomicOp>(LOCK_SIGNS);
const ALU = new Map<string, { readonly op: AluOp; readonly signed: boolean }>([
  ...[...inverse<AluOp>(ALU_SIGNS)].map(([sign, op]) => [sign, { op, signed: false }] as const),
  ['s/=', { op: 'div', signed: true }],
  ['s%=', { op: 'mod', signed: true }],
]);

function inverse<K extends string>(signs: Readonly<Partial<Record<K, string>>>) {
  const entries: [string, K][] = [];
  for (const name in signs) {
    const sign = signs[name];
    if (sign !== undefined) entries.push([sign, name]);
  }
  return new Map(entries);
}

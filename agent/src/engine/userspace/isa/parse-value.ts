import type { RawInstruction } from '#agent/object/instructions.ts';
import { constantTail, encode } from './encode.ts';
import type { Atomic, ByteOrder, ConstantOf } from './opcodes.ts';
import {
  atomicType,
  baseAndOffset,
  integer32,
  memoryType,
  place,
  type Register,
  register,
  registerOf,
  UNSIGNED,
} from './parse-operand.ts';
import type { Tokens } from './tokens.ts';

/** What follows `r1 =` when it is more than a register or a number of 32 bits. */
export function parseValue(tokens: Tokens, left: Register): RawInstruction[] | undefined {
  const first = tokens.peek();
  if (first === '*') return [load(tokens, left)];
  if (first === '(') return [signExtension(tokens, left)];
  if (first === '-' && registerOf(tokens.peek(1)) !== undefined) return [negation(tokens, left)];
  const swap = /^(le|be|bswap)(16|32|64)$/.exec(first);
  if (swap !== null) return [byteOrder(tokens, left, swap[1], Number(swap[2]))];
  const atomic = ATOMICS.get(first);
  if (atomic !== undefined) return [atomicCall(tokens, left, atomic)];
  const number = first === '-' || first === '+' ? 2 : 1;
  if (tokens.peek(number) === 'll') return wholeConstant(tokens, left, 'number');
  if (/^(map|variable|subprog)$/.test(first)) return reference(tokens, left);
  return undefined;
}

function load(tokens: Tokens, left: Register): RawInstruction {
  tokens.expect('*');
  const { bytes, signed } = memoryType(tokens, 'a type to load', loadType);
  const { base, offset } = place(tokens);
  return encode({ kind: 'load', bytes, signed }, { dst: left.number, src: base, offset });
}

/** 8 bytes are never sign-extended. */
function loadType(type: string) {
  const bytes = UNSIGNED.get(type) ?? UNSIGNED.get(type.replace(/^s/, 'u'));
  const signed = type.startsWith('s');
  return bytes === undefined || (signed && bytes === 8) ? undefined : { bytes, signed };
}

function signExtension(tokens: Tokens, left: Register): RawInstruction {
  tokens.expect('(');
  const bits = tokens.take('s8, s16 or s32', (text) => EXTENSIONS.get(text));
  tokens.expect(')');
  const right = register(tokens);
  if (right.is64 !== left.is64 || (bits === 32 && !left.is64))
    throw tokens.error('this pair of registers has no such sign extension');
  const fields = { dst: left.number, src: right.number };
  return encode({ kind: 'sign-extend', is64: left.is64, bits }, fields);
}

const EXTENSIONS: ReadonlyMap<string, 8 | 16 | 32> = new Map([
  ['s8', 8],
  ['s16', 16],
  ['s32', 32],
]);

function negation(tokens: Tokens, left: Register): RawInstruction {
  tokens.expect('-');
  sameRegister(tokens, left);
  return encode({ kind: 'negate', is64: left.is64 }, { dst: left.number });
}

function byteOrder(
  tokens: Tokens,
  left: Register,
  word: string | undefined,
  bits: number,
): RawInstruction {
  const order: ByteOrder = word === 'le' || word === 'be' ? word : 'bswap';
  if (!left.is64) throw tokens.error('the byte order is that of a whole register');
  tokens.expect(tokens.peek());
  sameRegister(tokens, left);
  const width = bits === 16 || bits === 32 ? bits : 64;
  return encode({ kind: 'byte-order', order, bits: width }, { dst: left.number });
}

function sameRegister(tokens: Tokens, { number, is64 }: Register): void {
  tokens.expect(`${is64 ? 'r' : 'w'}${number}`);
}

interface AtomicForm extends Omit<Atomic, 'bytes'> {
  /** Undefined: the type of the place tells. */
  readonly bytes: 4 | 8 | undefined;
}

/** The kernel's names, and clang's. */
const ATOMICS: ReadonlyMap<string, AtomicForm> = new Map<string, AtomicForm>([
  ...(['add', 'or', 'and', 'xor'] as const).flatMap((op) => [
    [`atomic_fetch_${op}`, { kind: 'atomic', op, fetch: true, bytes: undefined }] as const,
    [`atomic64_fetch_${op}`, { kind: 'atomic', op, fetch: true, bytes: 8 }] as const,
  ]),
  ...(['xchg', 'cmpxchg'] as const).flatMap((op) => [
    [`atomic_${op}`, { kind: 'atomic', op, fetch: true, bytes: 4 }] as const,
    [`atomic64_${op}`, { kind: 'atomic', op, fetch: true, bytes: 8 }] as const,
    [`${op}32_32`, { kind: 'atomic', op, fetch: true, bytes: 4 }] as const,
    [`${op}_64`, { kind: 'atomic', op, fetch: true, bytes: 8 }] as const,
  ]),
]);

/** `r2 = atomic64_fetch_add((u64 *)(r1 +0), r2)`, `r0 = cmpxchg_64(r1 + 0, r0, r2)` */
function atomicCall(tokens: Tokens, left: Register, form: AtomicForm): RawInstruction {
  tokens.expect(tokens.peek(), '(');
  const typed = tokens.peek() === '(' ? atomicType(tokens) : form.bytes;
  const at = tokens.peek() === '(' ? place(tokens) : baseAndOffset(tokens);
  const bytes = form.bytes ?? typed;
  if (bytes === undefined || typed !== bytes)
    throw tokens.error('this operation takes another number of bytes');
  tokens.expect(',');
  if (form.op === 'cmpxchg') {
    if (left.number !== 0) throw tokens.error('cmpxchg gives its old value to r0');
    sameRegister(tokens, left);
    tokens.expect(',');
  }
  const value = register(tokens);
  if (form.op !== 'cmpxchg' && value.number !== left.number)
    throw tokens.error('the old value goes to the register of the new one');
  tokens.expect(')');
  const fields = { dst: at.base, src: value.number, offset: at.offset };
  return encode({ kind: 'atomic', bytes, op: form.op, fetch: form.fetch }, fields);
}

/** `map[fd:5][0]+4 ll`, `map[idx:5] ll`, `variable[id:7]+0 ll`, `subprog[+7] ll` */
function reference(tokens: Tokens, left: Register): RawInstruction[] {
  const word = tokens.peek();
  tokens.expect(word, '[');
  if (word === 'subprog') {
    const low = integer32(tokens, 'a distance');
    tokens.expect(']');
    return finish(tokens, left, 'subprogram', low, 0);
  }
  const by = tokens.take(word === 'map' ? 'fd or idx' : 'id', (text) =>
    (word === 'map' ? /^(fd|idx)$/ : /^id$/).test(text) ? text : undefined,
  );
  tokens.expect(':');
  const low = integer32(tokens, 'a number');
  tokens.expect(']');
  if (word === 'map' && !tokens.skip('['))
    return finish(tokens, left, by === 'fd' ? 'map-fd' : 'map-index', low, 0);
  if (word === 'map') tokens.expect('0', ']');
  const high = integer32(tokens, 'an offset');
  if (word === 'variable') return finish(tokens, left, 'variable', low, high);
  return finish(tokens, left, by === 'fd' ? 'map-value-fd' : 'map-value-index', low, high);
}

function finish(
  tokens: Tokens,
  left: Register,
  of: ConstantOf,
  low: number,
  high: number,
): RawInstruction[] {
  tokens.expect('ll');
  if (!left.is64) throw tokens.error('a constant of 64 bits takes a whole register');
  return [encode({ kind: 'constant', of }, { dst: left.number, imm: low }), constantTail(high)];
}

function wholeConstant(tokens: Tokens, left: Register, of: ConstantOf): RawInstruction[] {
  const value = tokens.number('a number', -(2n ** 63n), 2n ** 64n - 1n);
  const [low, high] = [BigInt.asIntN(32, value), BigInt.asIntN(32, value >> 32n)];
  return finish(tokens, left, of, Number(low), Number(high));
}

import type { Bytes, Source } from './opcodes.ts';
import type { Tokens } from './tokens.ts';

export interface Register {
  readonly number: number;
  /** Written r; a w is its low half. */
  readonly is64: boolean;
}

/** r0..r11, w0..w11. r11 only names keys, which is not for the syntax to say. */
export function registerOf(text: string): Register | undefined {
  if (!/^[rw](\d|1[01])$/.test(text)) return undefined;
  return { number: Number(text.slice(1)), is64: text.startsWith('r') };
}

export function register(tokens: Tokens): Register {
  return tokens.take('a register', registerOf);
}

/** A register as wide as `left`, or a number. */
export function operand(
  tokens: Tokens,
  left: Register,
): { readonly source: Source; readonly src: number; readonly imm: number } {
  const right = registerOf(tokens.peek());
  if (right === undefined)
    return { source: 'imm', src: 0, imm: integer32(tokens, 'a register or number') };
  if (right.is64 !== left.is64)
    throw tokens.error(`expected a register as wide as ${left.is64 ? 'r' : 'w'}${left.number}`);
  tokens.expect(tokens.peek());
  return { source: 'reg', src: right.number, imm: 0 };
}

/** `(r1 +4)` */
export function place(tokens: Tokens): { readonly base: number; readonly offset: number } {
  tokens.expect('(');
  const at = baseAndOffset(tokens);
  tokens.expect(')');
  return at;
}

/** `r1 +4` */
export function baseAndOffset(tokens: Tokens): { readonly base: number; readonly offset: number } {
  const { number, is64 } = register(tokens);
  if (!is64) throw tokens.error('an address takes a whole register');
  const signed = tokens.peek() === '+' || tokens.peek() === '-';
  return { base: number, offset: signed ? integer16(tokens, 'an offset') : 0 };
}

/** `(u32 *)`, of those types that `read` knows. */
export function memoryType<T>(
  tokens: Tokens,
  what: string,
  read: (type: string) => T | undefined,
): T {
  tokens.expect('(');
  const type = tokens.take(what, read);
  tokens.expect('*', ')');
  return type;
}

export function atomicType(tokens: Tokens): 4 | 8 {
  return memoryType(tokens, 'u32 or u64', (type) => ATOMIC.get(type));
}

const ATOMIC: ReadonlyMap<string, 4 | 8> = new Map([
  ['u32', 4],
  ['u64', 8],
]);

export const UNSIGNED: ReadonlyMap<string, Bytes> = new Map([
  ['u8', 1],
  ['u16', 2],
  ['u32', 4],
  ['u64', 8],
]);

export function integer16(tokens: Tokens, what: string): number {
  return Number(tokens.number(what, -0x8000n, 0x7fffn));
}

/** Also what is meant as unsigned: 0xffffffff is -1. */
export function integer32(tokens: Tokens, what: string): number {
  return Number(BigInt.asIntN(32, tokens.number(what, -0x8000_0000n, 0xffff_ffffn)));
}

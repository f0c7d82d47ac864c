import { disassemble } from '../isa/disassemble.ts';
import { helperName } from './helpers.ts';
import type { LineInput } from './input.ts';
import { S32_MAX, S32_MIN, S64_MAX, S64_MIN, U32_MAX, U64_MAX } from './int64.ts';
import { lineOf, type Program } from './program.ts';
import { isPacket, type Register, typeName } from './register.ts';
import { knownValue, type Scalar } from './scalar.ts';
import { SLOT_BYTES, SPILL, typeAt } from './stack-slot.ts';
import type { Frame, State } from './state.ts';
import { text as bitsText } from './tnum.ts';

/** Lines kept: of a long walk the last ones, which say why it ended. */
const MAX_LINES = 4000;

/** The way through the program in the manner of the kernel's log: instructions, source lines, what changed. */
export class Log {
  readonly #program: Program;
  readonly #lines: string[] = [];
  #dropped = 0;
  #source: LineInput | undefined;
  #shown: readonly string[] = [];

  constructor(program: Program) {
    this.#program = program;
  }

  /** Before the instruction is looked at. */
  instruction(at: number, state: State): void {
    const source = lineOf(this.#program, at);
    if (source !== undefined && source !== this.#source)
      this.line(`; ${source.text ?? ''} @ ${source.file}:${source.line}`);
    this.#source = source;
    const opcode = this.#program.slots[at]?.opcode ?? 0;
    const text = disassemble(this.#program.slots, at, helperName);
    this.line(`${at}: (${opcode.toString(16).padStart(2, '0')}) ${text}`);
    this.#shown = describe(state.frames.at(-1));
  }

  /** After it: what is known now and was not before. */
  changes(state: State): void {
    const now = describe(state.frames.at(-1));
    const news = now.filter((each) => !this.#shown.includes(each));
    this.#shown = now;
    const last = this.#lines.length - 1;
    if (news.length > 0 && last >= 0)
      this.#lines[last] = `${(this.#lines[last] ?? '').padEnd(38)} ; ${news.join(' ')}`;
  }

  /** Going on from a branch that was left for later. */
  branch(from: number, to: number, state: State): void {
    this.line('');
    this.line(`from ${from} to ${to}: ${describe(state.frames.at(-1)).join(' ')}`);
  }

  line(text: string): void {
    this.#lines.push(text);
    if (this.#lines.length < 2 * MAX_LINES) return;
    this.#dropped += MAX_LINES;
    this.#lines.splice(0, MAX_LINES);
  }

  toString(): string {
    const head = this.#dropped > 0 ? [`... ${this.#dropped} lines before`] : [];
    return [...head, ...this.#lines, ''].join('\n');
  }
}

/** Registers and slots that hold something: print_verifier_state(). */
function describe(frame: Frame | undefined): readonly string[] {
  if (frame === undefined) return [];
  const parts: string[] = frame.number === 0 ? [] : [`frame${frame.number}:`];
  frame.registers.forEach((register, n) => {
    if (register.kind !== 'uninitialised') parts.push(`R${n}=${registerText(register)}`);
  });
  frame.stack.forEach((slot, n) => {
    if (slot === undefined || slot.types === 0) return;
    const where = `fp-${(n + 1) * SLOT_BYTES}`;
    if (slot.spilled !== undefined && typeAt(slot, 0) === SPILL)
      parts.push(`${where}=${registerText(slot.spilled)}`);
    else parts.push(`${where}=${bytesText(slot.types)}`);
  });
  return parts;
}

/** From the highest address down, as the kernel prints them. */
const bytesText = (types: number): string =>
  Array.from({ length: SLOT_BYTES }, (_, byte) =>
    '?m0r'.charAt((types >>> ((SLOT_BYTES - 1 - byte) * 4)) & 0xf),
  ).join('');

function registerText(register: Register): string {
  const { kind, number, offset, id, range } = register;
  if (kind === 'scalar') {
    const known = knownValue(number);
    if (known !== undefined) return signedText(known);
    return `scalar(${[...(id === 0 ? [] : [`id=${id}`]), ...boundsText(number)].join(',')})`;
  }
  if (kind === 'stack' && knownValue(number) === 0n) return `fp${offset === 0 ? '0' : offset}`;
  const parts = id === 0 ? [] : [`id=${id}`];
  if (register.reference !== 0) parts.push(`ref_obj_id=${register.reference}`);
  if (kind === 'map-value' || kind === 'map') parts.push(`map=${register.map}`);
  if (kind === 'memory') parts.push(`sz=${register.size}`);
  if (offset !== 0) parts.push(`off=${offset}`);
  if (isPacket(register)) parts.push(`r=${range}`);
  if (knownValue(number) === undefined) parts.push(...boundsText(number));
  return `${typeName(register)}(${parts.join(',')})`;
}

const signedText = (value: bigint): string => {
  const signed = BigInt.asIntN(64, value);
  return signed > -0x10000n && signed < 0x10000n ? `${signed}` : `0x${value.toString(16)}`;
};

/** Only what is less than anything: print_scalar_ranges() of kernel/bpf/log.c. */
function boundsText(number: Scalar): string[] {
  const bound = (name: string, value: bigint | number, trivial: bigint | number) =>
    value === trivial ? [] : [`${name}=${value}`];
  return [
    ...bound('smin', number.smin, S64_MIN),
    ...bound('smax', number.smax, S64_MAX),
    ...bound('umin', number.umin, 0n),
    ...bound('umax', number.umax, U64_MAX),
    ...bound('smin32', number.s32min, S32_MIN),
    ...bound('smax32', number.s32max, S32_MAX),
    ...bound('umin32', number.u32min, 0),
    ...bound('umax32', number.u32max, U32_MAX),
    ...(number.bits.mask === U64_MAX ? [] : [`var_off=${bitsText(number.bits)}`]),
  ];
}

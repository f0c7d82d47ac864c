/** Bytes of x86-64 code. Register numbers are the machine's: rax 0 … r15 15. */
export class X64 {
  #bytes = new Uint8Array(1024);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;
  #lastStart: number | undefined;

  get length(): number {
    return this.#length;
  }

  /**
   * Where the last instruction can take prefixes that mean nothing, as far as the code up to here is one way without
   * jumps of its own. Undefined: nowhere.
   */
  get prefixable(): number | undefined {
    return this.#lastStart;
  }

  /** A view that lasts until the next byte. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  byte(...values: readonly number[]): void {
    let at = this.#take(values.length);
    for (const value of values) this.#bytes[at++] = value;
  }

  append(bytes: Uint8Array): void {
    const at = this.#take(bytes.length);
    this.#bytes.set(bytes, at);
  }

  int32(value: number): void {
    const at = this.#take(4);
    this.#view.setInt32(at, value, true);
  }

  uint64(value: bigint): void {
    const at = this.#take(8);
    this.#view.setBigUint64(at, value, true);
  }

  /**
   * An instruction on two registers. An opcode above 0xff is two bytes. `low`: reg or rm is a byte register, and
   * must not be taken for ah, ch, dh or bh.
   */
  registers(wide: boolean, opcode: number, reg: number, rm: number, low = false): void {
    this.#rex(wide, reg, rm, low);
    this.#opcode(opcode);
    this.byte(0xc0 | ((reg & 7) << 3) | (rm & 7));
  }

  /** An instruction on a register (or opcode extension) and [base + displacement]. */
  memory(
    wide: boolean,
    opcode: number,
    reg: number,
    base: number,
    displacement: number,
    low = false,
  ): void {
    this.#rex(wide, reg, base, low);
    this.#opcode(opcode);
    const modrm = ((reg & 7) << 3) | (base & 7);
    const bare = displacement === 0 && (base & 7) !== BASE_NEEDS_DISPLACEMENT;
    const short = displacement === (displacement << 24) >> 24;
    this.byte((bare ? 0x00 : short ? 0x40 : 0x80) | modrm);
    if ((base & 7) === BASE_NEEDS_SIB) this.byte(0x24);
    if (bare) return;
    if (short) this.byte(displacement & 0xff);
    else this.int32(displacement);
  }

  /** add, or, and, sub, xor or cmp (by opcode extension) of a register with a sign-extended number. */
  arithmetic(wide: boolean, extension: number, rm: number, imm: number): void {
    if (imm === (imm << 24) >> 24) {
      this.registers(wide, 0x83, extension, rm);
      this.byte(imm & 0xff);
    } else {
      this.registers(wide, 0x81, extension, rm);
      this.int32(imm);
    }
  }

  /** Whole registers, or the low halves with the high one of dst cleared. */
  move(wide: boolean, dst: number, src: number): void {
    this.registers(wide, 0x89, src, dst);
  }

  /** The shortest that makes the whole register this number. Changes flags. */
  moveNumber(dst: number, value: bigint): void {
    const unsigned = BigInt.asUintN(64, value);
    if (unsigned === 0n) this.registers(false, 0x31, dst, dst);
    else if (unsigned < 1n << 32n) {
      this.#rex(false, 0, dst, false);
      this.byte(0xb8 | (dst & 7));
      this.int32(Number(BigInt.asIntN(32, unsigned)));
    } else if (BigInt.asUintN(64, BigInt.asIntN(32, unsigned)) === unsigned) {
      this.registers(true, 0xc7, 0, dst);
      this.int32(Number(BigInt.asIntN(32, unsigned)));
    } else this.moveWord(dst, unsigned);
  }

  /** Always 10 bytes, of which the last 8 are the number. */
  moveWord(dst: number, value: bigint): void {
    this.#rex(true, 0, dst, false);
    this.byte(0xb8 | (dst & 7));
    this.uint64(value);
  }

  push(register: number): void {
    this.#rex(false, 0, register, false);
    this.byte(0x50 | (register & 7));
  }

  pop(register: number): void {
    this.#rex(false, 0, register, false);
    this.byte(0x58 | (register & 7));
  }

  leaveAndReturn(): void {
    this.byte(0xc9, 0xc3);
    this.#lastStart = undefined;
  }

  /** A short jump within one instruction's code; returns what to give to land(). `condition` as in Jcc, or jmp. */
  skip(condition: number | 'always'): number {
    this.#lastStart = undefined;
    this.byte(condition === 'always' ? 0xeb : 0x70 | condition, 0);
    return this.#length;
  }

  /** Here is where a skip() goes. */
  land(skip: number): void {
    const distance = this.#length - skip;
    if (distance > 0x7f) throw new RangeError(`skip over ${distance} bytes`);
    this.#view.setUint8(skip - 1, distance);
    this.#lastStart = undefined;
  }

  /** A short jump back within one instruction's code. */
  back(condition: number, to: number): void {
    this.byte(0x70 | condition, (to - this.#length - 2) & 0xff);
    this.#lastStart = undefined;
  }

  #opcode(opcode: number): void {
    if (opcode > 0xff) this.byte(opcode >> 8);
    this.byte(opcode & 0xff);
  }

  /** Every instruction begins here, but for those of byte(); what byte() put before it are prefixes. */
  #rex(wide: boolean, reg: number, rm: number, low: boolean): void {
    this.#lastStart = this.#length;
    const rex = 0x40 | (wide ? 8 : 0) | ((reg >> 3) << 2) | (rm >> 3);
    if (rex !== 0x40 || low) this.byte(rex);
  }

  /** Makes room, which may replace bytes and view. */
  #take(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const bytes = new Uint8Array(this.#length * 2);
      bytes.set(this.#bytes);
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer);
    }
    return at;
  }
}

/** rbp and r13, low bits. */
const BASE_NEEDS_DISPLACEMENT = 5;
/** rsp and r12, low bits. */
const BASE_NEEDS_SIB = 4;

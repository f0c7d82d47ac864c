import { SkeinError } from '#common/errors.ts';

const decoder = new TextDecoder();

/** Longest name read. Names may share their bytes, so without a limit reading them all is quadratic. */
const MAX_NAME_BYTES = 1024;

/**
 * A bounds-checked little-endian reader over a part of an object. Reading outside it is
 * SKEIN_BAD_OBJECT, never a RangeError.
 */
export class ByteView {
  readonly place: string;
  readonly #bytes: Uint8Array;
  readonly #data: DataView;

  /** `place` says in messages what the bytes are: "section .text". */
  constructor(bytes: Uint8Array, place: string) {
    this.place = place;
    this.#bytes = bytes;
    this.#data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get length(): number {
    return this.#bytes.length;
  }

  u8(offset: number): number {
    this.#need(offset, 1);
    return this.#data.getUint8(offset);
  }

  u16(offset: number): number {
    this.#need(offset, 2);
    return this.#data.getUint16(offset, true);
  }

  i16(offset: number): number {
    this.#need(offset, 2);
    return this.#data.getInt16(offset, true);
  }

  u32(offset: number): number {
    this.#need(offset, 4);
    return this.#data.getUint32(offset, true);
  }

  i32(offset: number): number {
    this.#need(offset, 4);
    return this.#data.getInt32(offset, true);
  }

  /** Rounded above 2^53, where no offset or size can be right: compare it with a limit before use. */
  u64(offset: number): number {
    this.#need(offset, 8);
    return this.#data.getUint32(offset + 4, true) * 2 ** 32 + this.#data.getUint32(offset, true);
  }

  bigU64(offset: number): bigint {
    this.#need(offset, 8);
    return this.#data.getBigUint64(offset, true);
  }

  /** A view, not a copy. */
  slice(offset: number, size: number): Uint8Array {
    this.#need(offset, size);
    return this.#bytes.subarray(offset, offset + size);
  }

  /** A NUL-terminated UTF-8 string of at most {@link MAX_NAME_BYTES} bytes. */
  name(offset: number): string {
    this.#need(offset, 1);
    const window = this.#bytes.subarray(offset, offset + MAX_NAME_BYTES + 1);
    const end = window.indexOf(0);
    if (end < 0) throw this.error(offset, `a name without end within ${MAX_NAME_BYTES} bytes`);
    return decoder.decode(window.subarray(0, end));
  }

  /** SKEIN_BAD_OBJECT at an offset of this view. */
  error(offset: number, what: string, remedy?: string): SkeinError {
    return badObject(this.place, offset, what, remedy);
  }

  #need(offset: number, size: number): void {
    // Also false for NaN.
    if (offset >= 0 && size >= 0 && offset + size <= this.#bytes.length) return;
    throw this.error(
      offset,
      `${size} bytes needed here, but only ${this.#bytes.length} are there in all`,
    );
  }
}

/** SKEIN_BAD_OBJECT: "PLACE, offset 0x..: WHAT". The place may hold bytes of a hostile object. */
export function badObject(
  place: string,
  offset: number,
  what: string,
  remedy?: string,
): SkeinError {
  return new SkeinError(
    'SKEIN_BAD_OBJECT',
    printable(`${place}, offset 0x${offset.toString(16)}: ${what}`),
    remedy === undefined ? {} : { remedy },
  );
}

function printable(text: string): string {
  const short = text.length > 400 ? `${text.slice(0, 400)}…` : text;
  return short.replaceAll(/[\p{C}\p{Z}]/gu, (character) => (character === ' ' ? ' ' : '?'));
}

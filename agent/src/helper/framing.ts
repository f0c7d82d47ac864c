/**
 * Frames between the agent and a server of helper.proto: 4 bytes little-endian length, then that many bytes.
 * Twin: agent/wire/frame.c.
 */

export const MAX_FRAME_BYTES = 64 * 1024 * 1024;

const HEAD_BYTES = 4;

/** Throws a RangeError when the payload is larger than {@link MAX_FRAME_BYTES}. */
export function encodeFrame(payload: Uint8Array): Uint8Array {
  checkLength(payload.length);
  const frame = new Uint8Array(HEAD_BYTES + payload.length);
  new DataView(frame.buffer).setUint32(0, payload.length, true);
  frame.set(payload, HEAD_BYTES);
  return frame;
}

/** Cuts a byte stream, however it comes chopped, into the payloads of its frames. */
export class FrameDecoder {
  readonly #chunks: Uint8Array[] = [];
  #buffered = 0;

  /** Bytes of a frame that has begun and not ended. */
  get pending(): number {
    return this.#buffered;
  }

  /**
   * The payloads that `chunk` completes. Throws a RangeError at a length above {@link MAX_FRAME_BYTES}; the
   * stream is then beyond repair. Holds on to `chunk`.
   */
  push(chunk: Uint8Array): Uint8Array[] {
    if (chunk.length > 0) this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    const payloads: Uint8Array[] = [];
    for (let payload = this.#next(); payload !== undefined; payload = this.#next()) {
      payloads.push(payload);
    }
    return payloads;
  }

  #next(): Uint8Array | undefined {
    if (this.#buffered < HEAD_BYTES) return undefined;
    const head = this.#take(HEAD_BYTES);
    const length = new DataView(head.buffer, head.byteOffset).getUint32(0, true);
    checkLength(length);
    if (this.#buffered < length) {
      this.#chunks.unshift(head);
      this.#buffered += HEAD_BYTES;
      return undefined;
    }
    return this.#take(length);
  }

  /** Of one large frame that arrives in many chunks, each byte is copied once. */
  #take(length: number): Uint8Array {
    const taken = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      const chunk = this.#chunks.shift();
      if (chunk === undefined) throw new RangeError(`only ${filled} of ${length} bytes buffered`);
      const part = chunk.subarray(0, length - filled);
      taken.set(part, filled);
      filled += part.length;
      if (part.length < chunk.length) this.#chunks.unshift(chunk.subarray(part.length));
    }
    this.#buffered -= length;
    return taken;
  }
}

function checkLength(length: number): void {
  if (length > MAX_FRAME_BYTES) {
    throw new RangeError(`frame of ${length} bytes is larger than ${MAX_FRAME_BYTES}`);
  }
}

import { SkeinError } from '#common/errors.ts';
import { HelperRequest, HelperResponse } from '#proto/gen/skein/v1/helper.ts';
import { encodeFrame, FrameDecoder, MAX_FRAME_BYTES } from './framing.ts';
import type { Op, OpName, RequestOf, Result, ResultOf } from './helper.ts';
import { fromHelperError } from './helper-error.ts';
import { isResultOf, makeOp } from './helper-op.ts';

/** Must be that of the other side: PROTOCOL_VERSION in agent/wire/call.h. */
export const PROTOCOL_VERSION = 1;

/** What carries the frames to the other side. */
export interface Carrier {
  write(frame: Uint8Array): void;
  /** The other side does not keep to the protocol: ends it. */
  giveUp(what: string, cause?: unknown): void;
}

interface Waiting {
  readonly resolve: (result: Result) => void;
  readonly reject: (error: SkeinError) => void;
}

/** Matches responses to requests. */
export class Exchange {
  readonly #carrier: Carrier;
  readonly #decoder = new FrameDecoder();
  readonly #waiting = new Map<bigint, Waiting>();
  #lastId = 0n;
  /** Set once the other side is given up or gone; every later request fails with it. */
  #end: SkeinError | undefined;

  constructor(carrier: Carrier) {
    this.#carrier = carrier;
  }

  send(op: Op): Promise<Result> {
    if (this.#end !== undefined) return Promise.reject(this.#end);
    this.#lastId += 1n;
    const id = this.#lastId;
    const payload = HelperRequest.encode({ id, op }).finish();
    if (payload.length > MAX_FRAME_BYTES) {
      const message = `${op.$case} request of ${payload.length} bytes: more than 64 MiB`;
      return Promise.reject(new SkeinError('SKEIN_INVALID_ARGUMENT', message));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#carrier.write(encodeFrame(payload));
    });
  }

  async request<K extends OpName>(op: K, value: RequestOf<K>): Promise<ResultOf<K>> {
    const result = await this.send(makeOp(op, value));
    if (result.$case === 'error') throw fromHelperError(result.value);
    if (isResultOf(result, op)) return result.value;
    const error = protocolError(`answered ${op} with ${result.$case}`);
    this.#carrier.giveUp(error.message);
    throw error;
  }

  receive(chunk: Uint8Array): void {
    if (this.#end !== undefined) return;
    try {
      for (const payload of this.#decoder.push(chunk)) this.#settle(HelperResponse.decode(payload));
    } catch (cause) {
      this.#carrier.giveUp('output is not the protocol', cause);
    }
  }

  /** Every request under way, and every later one, fails with the first of these. */
  end(error: SkeinError): void {
    this.#end ??= error;
    for (const waiting of this.#waiting.values()) waiting.reject(this.#end);
    this.#waiting.clear();
  }

  #settle(response: HelperResponse): void {
    const waiting = this.#waiting.get(response.id);
    if (waiting === undefined) throw new RangeError(`answer to unknown request ${response.id}`);
    if (response.result === undefined) throw new RangeError(`empty answer to ${response.id}`);
    this.#waiting.delete(response.id);
    waiting.resolve(response.result);
  }
}

export function protocolError(message: string, cause?: unknown): SkeinError {
  return new SkeinError('SKEIN_HELPER_PROTOCOL', message, { cause });
}

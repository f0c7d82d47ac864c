/** For tests: mutated requests to a server built with sanitizers. */
import assert from 'node:assert/strict';
import { HelperRequest } from '#proto/gen/skein/v1/helper.ts';
import { mulberry32 } from '../../../../test/support/random.ts';
import { encodeFrame } from '../framing.ts';
import type { Op } from '../helper.ts';
import { encode, frames, HELLO, type Outcome } from './raw-helper.ts';

export interface Fuzzed {
  /** How many requests that can be decoded. */
  readonly count: number;
  /** What makes the things that `seeds` name. Each must be answered without an error. */
  readonly prelude: readonly Op[];
  readonly seeds: readonly Op[];
  /** Runs the server on the input to its end. */
  converse(input: Uint8Array): Promise<Outcome>;
}

/** Changes one to three bytes of each request. */
export async function fuzz({ count, prelude, seeds, converse }: Fuzzed): Promise<void> {
  const below = mulberry32(0x5eed);
  const encoded = seeds.map((op) => encode(op, 9n));
  const malformed: Uint8Array[] = [];
  const wellFormed: Uint8Array[] = [];
  for (let made = 0; wellFormed.length < count; made += 1) {
    const payload = Uint8Array.from(encoded[made % encoded.length] ?? []);
    for (let changes = 1 + below(3); changes > 0; changes -= 1) {
      payload[below(payload.length)] = below(256);
    }
    (isWellFormed(payload) ? wellFormed : malformed).push(payload);
  }
  // A malformed frame ends the server: those cost a process each, so only some are tried.
  for (const payload of malformed.slice(0, 25)) {
    assertSound(await converse(Buffer.concat([frames(HELLO), encodeFrame(payload)])));
  }
  for (let done = 0; done < wellFormed.length; ) {
    const input = [frames(...prelude), ...wellFormed.slice(done).map(encodeFrame)];
    const outcome = await converse(Buffer.concat(input));
    assertSound(outcome);
    assert.deepEqual(
      outcome.responses.slice(0, prelude.length).map(({ result }) => result?.$case),
      prelude.map((op) => op.$case),
    );
    // Where protobuf-c is the stricter one, go on behind the frame that ended it.
    done += outcome.responses.length - prelude.length + 1;
  }
}

function assertSound(outcome: Outcome): void {
  assert.ok(outcome.code === 0 || outcome.code === 1, `code ${outcome.code}: ${outcome.stderr}`);
}

/** Whether protobuf-c will take it too, which minds fields of the wrong wire type. */
function isWellFormed(payload: Uint8Array): boolean {
  try {
    const again = HelperRequest.encode(HelperRequest.decode(payload)).finish();
    return again.length === payload.length;
  } catch {
    return false;
  }
}

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { encodeFrame, FrameDecoder, MAX_FRAME_BYTES } from './framing.ts';

describe('framing', () => {
  it('gives back what was framed, however the stream is chopped', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 17 }), { minLength: 1 }),
        (payloads, cuts) => {
          const stream = Buffer.concat(payloads.map(encodeFrame));
          const decoder = new FrameDecoder();
          const decoded: Uint8Array[] = [];
          for (let at = 0, turn = 0; at < stream.length; turn += 1) {
            const size = cuts[turn % cuts.length] ?? 1;
            decoded.push(...decoder.push(stream.subarray(at, at + size)));
            at += size;
          }
          assert.deepEqual(
            decoded.map((payload) => Buffer.from(payload)),
            payloads.map((payload) => Buffer.from(payload)),
          );
          assert.equal(decoder.pending, 0);
        },
      ),
    );
  });

  it('writes the length little-endian', () => {
    assert.deepEqual([...encodeFrame(new Uint8Array(0x102)).subarray(0, 4)], [2, 1, 0, 0]);
  });

  it('counts what is pending of a frame that has begun', () => {
    const decoder = new FrameDecoder();
    assert.deepEqual(decoder.push(Uint8Array.of(3, 0, 0, 0, 7)), []);
    assert.equal(decoder.pending, 5);
  });

  it('refuses a frame larger than 64 MiB, both ways, before holding it', () => {
    const head = new Uint8Array(4);
    new DataView(head.buffer).setUint32(0, MAX_FRAME_BYTES + 1, true);
    assert.throws(() => new FrameDecoder().push(head), RangeError);
    assert.throws(() => encodeFrame(new Uint8Array(MAX_FRAME_BYTES + 1)), RangeError);
  });

  it('takes a frame of exactly 64 MiB', () => {
    const head = new Uint8Array(4);
    new DataView(head.buffer).setUint32(0, MAX_FRAME_BYTES, true);
    assert.deepEqual(new FrameDecoder().push(head), []);
  });
});

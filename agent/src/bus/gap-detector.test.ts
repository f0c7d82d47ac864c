import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GapDetector } from './gap-detector.ts';

/** Messages in order: subject, Nats-Sequence, Nats-Last-Sequence, and whether that shows a gap. */
const CASES: [title: string, messages: [string, number, number, boolean][]][] = [
  [
    'in order',
    [
      ['a', 5, 0, false],
      ['b', 6, 2, false],
      ['a', 7, 5, false],
    ],
  ],
  [
    'one missing in between',
    [
      ['a', 5, 0, false],
      ['a', 7, 5, true],
      ['a', 8, 7, false],
    ],
  ],
  [
    'an earlier one of the subject missing',
    [
      ['a', 5, 0, false],
      ['a', 6, 4, true],
    ],
  ],
  [
    'the stream was made anew',
    [
      ['a', 5, 0, false],
      ['a', 1, 0, true],
      ['a', 2, 1, false],
    ],
  ],
  [
    'delivered twice',
    [
      ['a', 5, 0, false],
      ['a', 5, 0, true],
    ],
  ],
];

describe('GapDetector', () => {
  for (const [title, messages] of CASES) {
    it(title, () => {
      const gaps = new GapDetector(() => true);
      for (const [subject, sequence, lastSequence, expected] of messages) {
        assert.equal(gaps.observe({ subject, sequence, lastSequence }), expected, `${sequence}`);
      }
    });
  }

  it('starts afresh after a reset', () => {
    const gaps = new GapDetector(() => true);
    gaps.observe({ subject: 'a', sequence: 5, lastSequence: 0 });
    gaps.reset();
    assert.equal(gaps.observe({ subject: 'a', sequence: 9, lastSequence: 8 }), false);
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { WatchStream } from './watch-stream.ts';

function setup() {
  const clock = new ManualClock();
  const written: string[] = [];
  const state = new Map<string, number>();
  const sink = {
    accepts: true,
    ended: 0,
    drain: () => {},
    write(message: string) {
      written.push(message);
      return sink.accepts;
    },
    once(_: 'drain', listener: () => void) {
      sink.drain = listener;
    },
    end() {
      sink.ended++;
    },
  };
  const render = (id: string) => (state.has(id) ? `${id}${state.get(id)}` : undefined);
  const stream = new WatchStream(sink, render, clock);
  const change = (id: string, value: number) => {
    state.set(id, value);
    stream.mark(id);
  };
  return { clock, written, sink, stream, change };
}

test('the first change goes at once, a burst after it as one', () => {
  const { clock, written, change } = setup();
  for (let i = 1; i <= 5; i++) change('a', i);
  assert.deepEqual(written, ['a1']);
  clock.advance(50);
  assert.deepEqual(written, ['a1', 'a5']);
  clock.advance(1_000);
  assert.deepEqual(written, ['a1', 'a5']);
});

test('a reader that is full is left alone until it drained, then gets the latest of each', () => {
  const { clock, written, sink, change } = setup();
  sink.accepts = false;
  change('a', 1);
  change('b', 1);
  clock.advance(1_000);
  change('a', 2);
  change('b', 2);
  clock.advance(1_000);
  assert.deepEqual(written, ['a1']);
  sink.accepts = true;
  sink.drain();
  assert.deepEqual(written.slice(1).sort(), ['a2', 'b2']);
});

test('nothing is said of what renders to nothing, or after the end', () => {
  const { clock, written, sink, stream, change } = setup();
  stream.mark('unknown');
  stream.end();
  stream.end();
  change('a', 1);
  clock.advance(1_000);
  assert.deepEqual([written, sink.ended], [[], 1]);
});

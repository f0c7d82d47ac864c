import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { diffLines } from './unified-diff.ts';

const written = (before: string, after: string) =>
  diffLines(before, after).map(({ mark, text }) => mark + text);

test('what is kept, what goes and what comes', () => {
  assert.deepEqual(written('a\nb\nc\n', 'a\nx\nc\n'), [' a', '-b', '+x', ' c']);
  assert.deepEqual(written('', 'a\n'), ['+a']);
  assert.deepEqual(written('a\n', ''), ['-a']);
  assert.deepEqual(written('a\n', 'a\n'), []);
});

test('lines far from any difference are left out', () => {
  const many = Array.from({ length: 20 }, (_, i) => `line ${i}`);
  const changed = many.with(10, 'other');
  assert.deepEqual(written(many.join('\n'), changed.join('\n')), [
    ...[' line 7', ' line 8', ' line 9', '-line 10', '+other', ' line 11', ' line 12', ' line 13'],
  ]);
});

test('what is kept and what goes is the one text, what is kept and what comes the other', () => {
  // Short, so that nothing is left out.
  const text = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 4 });
  fc.assert(
    fc.property(text, text, (before, after) => {
      const lines = diffLines(before.join('\n'), after.join('\n'));
      const side = (mark: string) =>
        lines.filter((line) => line.mark === ' ' || line.mark === mark).map((line) => line.text);
      if (lines.length === 0) assert.deepEqual(before, after);
      else if (lines.length <= 4) assert.deepEqual([side('-'), side('+')], [before, after]);
    }),
  );
});

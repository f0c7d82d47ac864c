import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { fitLine, LiveView } from './live-view.ts';
import { colourPaint } from './style.ts';

test('each text is drawn over the last one, cut to what the terminal has room for', () => {
  const written: string[] = [];
  const screen = {
    size: { columns: 5, rows: 4 },
    write: (text: string) => void written.push(text),
  };
  const live = new LiveView(screen);
  live.draw('one\ntwo is long\n');
  live.draw('1\n2\n3\n4\n5\n');
  live.draw('end\n');
  assert.deepEqual(written, [
    'one\u001b[K\ntwo i\u001b[K\n\u001b[J',
    '\u001b[2F1\u001b[K\n2\u001b[K\n3\u001b[K\n\u001b[J',
    '\u001b[3Fend\u001b[K\n\u001b[J',
  ]);
});

test('colours take no room, and end where the text is cut', () => {
  const line = `${colourPaint('red', 'bad')} plain ${colourPaint('green', 'good')}`;
  for (const columns of [0, 2, 3, 6, 12, 40]) {
    const fitted = fitLine(line, columns);
    assert.equal(stripVTControlCharacters(fitted), 'red plain green'.slice(0, columns));
    assert.equal(fitted.split('\u001b[').length, line.split('\u001b[').length);
  }
  assert.equal(fitLine('→→→', 2), '→→');
});

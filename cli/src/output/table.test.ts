import assert from 'node:assert/strict';
import { test } from 'node:test';
import { colourPaint, plainPaint, printable, wantsColour } from './style.ts';
import { renderFields, renderTable } from './table.ts';

const ESCAPE = '\u001b';

test('columns are aligned, blanks at line ends are not written', () => {
  const rows = [
    ['net.drop_icmp', '7', 'x'],
    ['µ', '12', ''],
  ];
  assert.equal(
    renderTable(['KEY', 'GEN', 'NOTE'], rows, plainPaint),
    'KEY             GEN   NOTE\nnet.drop_icmp   7     x\nµ               12\n',
  );
});

test('colour does not disturb the alignment', () => {
  const rows = [[{ text: 'on', tone: 'good' } as const, 'x']];
  const strip = (text: string) => text.replaceAll(new RegExp(`${ESCAPE}\\[\\d+m`, 'g'), '');
  const coloured = renderTable(['VALUE', 'B'], rows, colourPaint);
  assert.match(coloured, new RegExp(ESCAPE));
  assert.equal(strip(coloured), renderTable(['VALUE', 'B'], rows, plainPaint));
});

test('fields without a value are left out', () => {
  assert.equal(
    renderFields(
      [
        ['Key', 'a'],
        ['Description', ''],
        ['Gen', '1'],
      ],
      plainPaint,
    ),
    'Key   a\nGen   1\n',
  );
});

test('text from elsewhere cannot steer the terminal', () => {
  assert.equal(printable(`a${ESCAPE}[2Jb\nc\u202ed`), 'a\ufffd[2Jb c\ufffdd');
  const table = renderTable(['A'], [[`${ESCAPE}]0;title\u0007`]], plainPaint);
  assert.doesNotMatch(table, new RegExp(`[${ESCAPE}\u0007]`));
});

test('colour only for a terminal that nobody spoke against', () => {
  assert.equal(wantsColour(true, true, {}), true);
  assert.equal(wantsColour(false, true, {}), false);
  assert.equal(wantsColour(true, false, {}), false);
  assert.equal(wantsColour(true, true, { NO_COLOR: '1' }), false);
  assert.equal(wantsColour(true, true, { NO_COLOR: '' }), true);
  assert.equal(wantsColour(true, true, { TERM: 'dumb' }), false);
});

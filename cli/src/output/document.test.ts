import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { renderDocument, renderStreamed } from './document.ts';

const VALUE = {
  small: 7n,
  large: 1n << 62n,
  time: new Date('2026-03-01T12:00:00Z'),
  absent: undefined,
  list: [1n, { on: true }],
};
const PLAIN = {
  small: 7,
  large: '4611686018427387904',
  time: '2026-03-01T12:00:00.000Z',
  list: [1, { on: true }],
};

test('64-bit integers are numbers while a double holds them, times RFC 3339, absent fields absent', () => {
  assert.deepEqual(JSON.parse(renderDocument(VALUE, 'json')), PLAIN);
  assert.deepEqual(JSON.parse(renderDocument(VALUE, 'jsonl')), PLAIN);
  assert.deepEqual(parse(renderDocument(VALUE, 'yaml')), PLAIN);
});

test('the largest integer that a double holds is the last number', () => {
  const limit = BigInt(Number.MAX_SAFE_INTEGER);
  assert.deepEqual(JSON.parse(renderDocument([limit, limit + 1n, -limit], 'json')), [
    Number.MAX_SAFE_INTEGER,
    '9007199254740992',
    -Number.MAX_SAFE_INTEGER,
  ]);
});

test('a sequence is lines of JSON, or YAML documents', () => {
  assert.equal(renderStreamed({ a: 1 }, 'json'), '{"a":1}\n');
  assert.equal(renderStreamed({ a: 1 }, 'jsonl'), '{"a":1}\n');
  assert.equal(renderStreamed({ a: 1 }, 'yaml'), '---\na: 1\n');
});

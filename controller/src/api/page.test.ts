import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pageOf } from './page.ts';

const MIB = 1024 * 1024;
const page = (names: readonly string[], token: string, size: number) =>
  pageOf(
    names,
    token,
    (name) => name,
    (name) => name.toUpperCase(),
    () => size,
  );

test('a page ends once it is large enough, and the next one goes on after it', () => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  assert.deepEqual(page(names, '', MIB / 2), { messages: ['A', 'B'], nextPageToken: 'b' });
  assert.deepEqual(page(names, 'b', MIB / 2), { messages: ['C', 'D'], nextPageToken: 'd' });
  assert.deepEqual(page(names, 'd', MIB / 2), { messages: ['E'], nextPageToken: '' });
});

test('what fits just so is one page; what is too large alone is a page of its own', () => {
  assert.deepEqual(page(['a', 'b'], '', MIB / 2), { messages: ['A', 'B'], nextPageToken: '' });
  assert.deepEqual(page(['a', 'b'], '', 2 * MIB), { messages: ['A'], nextPageToken: 'a' });
  assert.deepEqual(page([], '', 1), { messages: [], nextPageToken: '' });
});

test('what comes and goes between two pages moves nothing else', () => {
  assert.deepEqual(page(['b', 'c'], 'a', 1), { messages: ['B', 'C'], nextPageToken: '' });
  assert.deepEqual(page(['a', 'aa', 'c'], 'b', 1), { messages: ['C'], nextPageToken: '' });
});

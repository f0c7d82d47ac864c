import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NOW, sampleObservation } from '../testing/samples.ts';
import { observationCells } from './key-tables.ts';

test('where nothing was poked there is no time of a poke', () => {
  const unchanged = sampleObservation({ outcome: 'unchanged', pokeNs: 0n });
  assert.deepEqual(observationCells(unchanged, NOW).slice(2, 4), ['-', '1.3 ms']);
  assert.deepEqual(observationCells(sampleObservation(), NOW).slice(2, 4), ['340 ns', '1.3 ms']);
});

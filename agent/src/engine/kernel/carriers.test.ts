import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agreedValue, standingValue } from './carriers.ts';

const CASES = [
  { variable: true, vectors: [], agreed: true, standing: true },
  { variable: false, vectors: [false], agreed: false, standing: false },
  { variable: true, vectors: [false], agreed: undefined, standing: false },
  { variable: false, vectors: [true], agreed: undefined, standing: true },
  { variable: true, vectors: [true, false], agreed: undefined, standing: true },
] as const;

for (const { variable, vectors, agreed, standing } of CASES) {
  test(`variable ${variable}, vectors ${vectors.join(' and ') || 'none'}`, () => {
    const carriers = { variable, vectors: new Set<boolean>(vectors) };
    assert.equal(agreedValue(carriers), agreed);
    assert.equal(standingValue(carriers), standing);
  });
}

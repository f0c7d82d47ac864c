import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds, opposite, parseCondition } from './condition.ts';

const OPERATORS = ['<', '<=', '>', '>=', '==', '!='] as const;

test('every operator, with every way to write a number', () => {
  const cases: [string, string, number][] = [
    ['< 0.01', '<', 0.01],
    ['>= 5', '>=', 5],
    ['== 0', '==', 0],
    ['!= 0', '!=', 0],
    ['<=1e-3', '<=', 0.001],
    ['  >  -.5 ', '>', -0.5],
    ['<+2.', '<', 2],
    ['>\t1E+6', '>', 1_000_000],
  ];
  for (const [text, operator, threshold] of cases) {
    assert.deepEqual(parseCondition(text), { operator, threshold }, text);
  }
});

test('what is no condition is refused with what was found and what is expected', () => {
  const bad = ['', '<', '5', '= 5', '=< 5', '<> 5', '< a', '< 1 2', '< NaN', '< Inf', '> +Inf'];
  for (const text of [...bad, '> Infinity', '> 1e999', '< 0x10', '< .', '< 1_000', '< 5 %']) {
    assert.throws(() => parseCondition(text), {
      code: 'SKEIN_BAD_ROLLOUT',
      message: `${JSON.stringify(text)} is no condition: write one of < <= > >= == != and a finite number, such as "< 0.01"`,
    });
  }
});

test('a condition and its opposite never agree; NaN meets neither', () => {
  const number = fc.option(fc.double({ noNaN: true }));
  const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
  fc.assert(
    fc.property(fc.constantFrom(...OPERATORS), finite, number, (operator, threshold, other) => {
      const condition = { operator, threshold };
      const value = other ?? threshold;
      assert.notEqual(holds(condition, value), holds(opposite(condition), value));
      assert.ok(!holds(condition, Number.NaN));
    }),
    { numRuns: 1_000 },
  );
  for (const [text, value, expected] of [
    ['< 1', 1, false],
    ['<= 1', 1, true],
    ['> 1', 1, false],
    ['>= 1', 1, true],
    ['== 1', 1, true],
    ['!= 1', 1, false],
    ['> 1', Number.POSITIVE_INFINITY, true],
    ['== 0', -0, true],
  ] as const) {
    assert.equal(holds(parseCondition(text), value), expected, `${value} ${text}`);
  }
});

test('what was written is what is read back', () => {
  const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
  fc.assert(
    fc.property(fc.constantFrom(...OPERATORS), finite, (operator, threshold) => {
      assert.deepEqual(parseCondition(`${operator} ${threshold}`), {
        operator,
        // "-0" is written as "0".
        threshold: threshold + 0,
      });
    }),
  );
});

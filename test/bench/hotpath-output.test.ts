import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseHotpath } from './hotpath-output.ts';

const code = 'code none 41 233 1\ncode global 105 505 0\n';

test('sizes and pairs are gathered by form', () => {
  const forms = parseHotpath(
    `${code}warm global 45.5 55.25\nwarm global 46.0 54.0\ncold global 500 900\n`,
  );
  assert.deepEqual(Object.fromEntries(forms), {
    none: { instructions: 41, jitedBytes: 233, same: true, warm: [], cold: [] },
    global: {
      instructions: 105,
      jitedBytes: 505,
      same: false,
      warm: [
        { none: 45.5, form: 55.25 },
        { none: 46, form: 54 },
      ],
      cold: [{ none: 500, form: 900 }],
    },
  });
});

for (const line of ['hot global 1 2', 'warm other 1 2', 'warm global 1', '']) {
  test(`refused: "${line}"`, () => {
    assert.throws(() => parseHotpath(`${code}${line}\n`), /hotpath wrote: /);
  });
}

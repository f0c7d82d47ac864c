import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatAmount, formatReach, parseAmount, parseReach } from './amount.ts';

test('an amount is a part of the hosts, or a number of them, and is written as it is read', () => {
  assert.deepEqual(parseAmount('12.5%', '--max-failed'), { kind: 'percent', percent: 12.5 });
  assert.deepEqual(parseAmount('3', '--max-failed'), { kind: 'hosts', hosts: 3 });
  for (const text of ['0', '0%', '100%', '12.5%', '4000']) {
    assert.equal(formatAmount(parseAmount(text, '')), text);
  }
  for (const text of ['', '-1', '101%', '1.5', 'all', '5 %', '5%%', '1e3']) {
    assert.throws(
      () => parseAmount(text, '--max-failed'),
      { code: 'SKEIN_INVALID_ARGUMENT', message: /^--max-failed: .* is not an amount of hosts$/ },
      text,
    );
  }
});

test('a step reaches an amount, or a cohort', () => {
  const cases = [
    ['5%', '5%'],
    ['1', '1 host'],
    ['10', '10 hosts'],
    ['cohort:canary', 'cohort canary'],
  ] as const;
  for (const [text, words] of cases) assert.equal(formatReach(parseReach(text, '--steps')), words);
  assert.throws(() => parseReach('canary', '--steps'), { message: /^--steps: "canary"/ });
  for (const text of ['0%', '0', '0.0%']) {
    assert.throws(() => parseReach(text, '--steps'), {
      code: 'SKEIN_INVALID_ARGUMENT',
      message: `--steps: a step of "${text}" takes in no host`,
    });
  }
  assert.throws(() => parseReach('cohort:', '--steps'), { code: 'SKEIN_INVALID_ARGUMENT' });
});

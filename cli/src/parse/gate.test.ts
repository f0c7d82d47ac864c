import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseGate } from './gate.ts';

test('the last comparison with a number is the condition, the rest is the query', () => {
  const cases = [
    ['rate(errors[5m]) < 0.01', 'rate(errors[5m])', '< 0.01'],
    ['a / (b > 0) <= 1e-3', 'a / (b > 0)', '<= 1e-3'],
    ['x{y="z"} == 0', 'x{y="z"}', '== 0'],
    ['x>=-.5', 'x', '>=-.5'],
  ] as const;
  for (const [text, query, success] of cases) {
    const gate = parseGate(text, 2, '--gate');
    assert.equal(gate.name, 'gate-2');
    assert.deepEqual(gate.source, { kind: 'prometheus', query, hosts: { kind: 'all' } });
    assert.equal(gate.success, success, text);
  }
});

test('what the controller measures itself is named', () => {
  const { name, source } = parseGate('host-failures == 0', 1, '--gate');
  assert.deepEqual(
    [name, source],
    ['host-failures', { kind: 'builtin', measure: 'host-failures' }],
  );
  const latency = parseGate('flip-latency < 0.5', 1, '--gate').source;
  assert.deepEqual(latency, { kind: 'builtin', measure: 'flip-latency', quantile: 0.99 });
});

test('a gate without a condition is refused, naming the option', () => {
  for (const text of ['', 'up', '< 1', 'x < y', 'x = 1', 'x < 0.01 or y']) {
    assert.throws(
      () => parseGate(text, 1, '--gate'),
      { code: 'SKEIN_INVALID_ARGUMENT', message: /^--gate: .* ends in no condition$/ },
      text,
    );
  }
});

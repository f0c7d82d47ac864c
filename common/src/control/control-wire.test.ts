import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as wire from '#proto/gen/skein/v1/control.ts';
import type { Control } from './control.ts';
import { controlFromWire, controlToWire } from './control-wire.ts';

const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record<T>(model, { noNullPrototype: true });
const time = fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true });
const who = { actor: fc.string(), reason: fc.string({ unit: 'grapheme' }) };
const some = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });

const control: fc.Arbitrary<Control> = record({
  generation: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  freeze: some(record({ ...who, since: time, until: some(time) })),
  killAll: some(record({ ...who, since: time, value: fc.boolean() })),
  cohorts: fc.array(record({ name: fc.string(), selector: fc.constantFrom('', 'a=b', '!c,d') })),
  note: some(record({ ...who, time, what: fc.string(), requestId: fc.string() })),
}).map(({ freeze, killAll, note, ...rest }) => ({
  ...rest,
  ...(freeze ? { freeze: withoutUndefined(freeze) } : {}),
  ...(killAll ? { killAll } : {}),
  ...(note ? { note } : {}),
}));

function withoutUndefined<T extends { until: Date | undefined }>({ until, ...rest }: T) {
  return until ? { ...rest, until } : rest;
}

test('a control record comes back as it was sent', () => {
  fc.assert(
    fc.property(control, (sent) => {
      const bytes = wire.Control.encode(controlToWire(sent)).finish();
      assert.deepEqual(controlFromWire(wire.Control.decode(bytes)), sent);
    }),
  );
});

test('what is missing is named', () => {
  const by = { actor: '', reason: '', since: undefined };
  const cases: [Partial<wire.Control>, RegExp][] = [
    [{ freeze: { ...by, until: undefined } }, /^freeze\.since: missing/],
    [{ killAll: { ...by, value: true } }, /^kill_all\.since: missing/],
    [
      { note: { actor: '', reason: '', time: undefined, what: '', requestId: '' } },
      /^note\.time: missing/,
    ],
  ];
  const empty = controlToWire({ generation: 1n, cohorts: [] });
  for (const [wrong, message] of cases) {
    const read = () => controlFromWire({ ...empty, ...wrong });
    assert.throws(read, { code: 'SKEIN_STORE_CORRUPT', message });
  }
  const cohorts = [{ name: 'c', selector: '((' }];
  assert.throws(() => controlFromWire({ ...empty, cohorts }), { code: 'SKEIN_BAD_SELECTOR' });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as wire from '#proto/gen/skein/v1/desired.ts';
import { DESIRED_SIGNATURE_CONTEXT } from '#proto/subjects.ts';
import type { DesiredState } from './desired.ts';
import { desiredToWire } from './desired-wire.ts';
import { openDesired, sealDesired } from './envelope.ts';
import { generateSeed, signerFromSeed, verifierFromPublic } from './nkey.ts';

const ACTIONS = [
  'create',
  'set',
  'delete',
  'apply',
  'kill',
  'revive',
  'revert',
  'rollout',
] as const;
const RULE = { selector: '', value: true, portion: undefined, rollout: undefined };

const signer = signerFromSeed(generateSeed());
const trusted = [verifierFromPublic(signer.publicKey)];

const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record<T>(model, { noNullPrototype: true });

const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const time = fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true });
const generation = fc.bigInt({ min: 1n, max: (1n << 64n) - 1n });
const rules = fc.array(
  fc.oneof(
    record({ selector: fc.constantFrom('', 'a=b', '!c'), value: fc.boolean() }),
    record({
      selector: fc.constant('a=b'),
      value: fc.boolean(),
      rollout: record({ id: fc.string(), step: fc.nat(), width: fc.nat() }),
    }),
    record({
      selector: fc.constant('zone in (a,b)'),
      value: fc.boolean(),
      portion: record({
        percent: fc.double({ min: 0, max: 100, noNaN: true }),
        threshold: fc.bigInt({ min: 0n, max: 1n << 63n }),
        salt: fc.string(),
      }),
    }),
  ),
  { maxLength: 3 },
);

const state: fc.Arbitrary<DesiredState> = record({
  name: fc.stringMatching(/^[a-z0-9_-]{1,10}(\.[a-z0-9_-]{1,10}){0,2}$/),
  generation,
  defaultValue: fc.boolean(),
  rules,
  kill: optional(fc.boolean()),
  deleted: fc.boolean(),
  description: fc.string({ unit: 'grapheme' }),
  change: record({
    action: fc.constantFrom(...ACTIONS),
    actor: fc.string(),
    reason: fc.string({ unit: 'grapheme' }),
    requestId: fc.string(),
    time,
  }),
  expiry: optional(record({ at: time, defaultValue: fc.boolean(), rules })),
  fence: optional(generation),
  killedByAll: fc.constantFrom(undefined, {}, { own: true }, { own: false }),
}).map(({ kill, expiry, fence, killedByAll, ...rest }) => ({
  ...rest,
  ...(kill === undefined ? {} : { kill }),
  ...(expiry ? { expiry } : {}),
  ...(fence === undefined ? {} : { fence }),
  ...(killedByAll ? { killedByAll } : {}),
}));

test('what was sealed opens as it was', () => {
  fc.assert(
    fc.property(state, (sealed) => {
      assert.deepEqual(openDesired(sealDesired(sealed, signer), trusted, 'here'), sealed);
    }),
  );
});

test('no bit of an envelope can change', () => {
  fc.assert(
    fc.property(state, (sealed) => {
      const bytes = sealDesired(sealed, signer);
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const changed = Uint8Array.from(bytes);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        assert.throws(() => openDesired(changed, trusted, 'here'), { code: 'SKEIN_BAD_SIGNATURE' });
      }
    }),
    { numRuns: 5 },
  );
});

test('nor be cut off or filled up, and no bytes whatever open', () => {
  fc.assert(
    fc.property(state, fc.nat(), (sealed, length) => {
      const bytes = sealDesired(sealed, signer);
      const cut = bytes.subarray(0, length % bytes.length);
      assert.throws(() => openDesired(cut, trusted, 'here'), { code: 'SKEIN_BAD_SIGNATURE' });
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      assert.throws(() => openDesired(bytes, trusted, 'here'), { code: 'SKEIN_BAD_SIGNATURE' });
    }),
  );
});

const sample = fc.sample(state, { numRuns: 1, seed: 1 })[0];
const envelope = (payload: Uint8Array, context = DESIRED_SIGNATURE_CONTEXT) =>
  wire.SignedEnvelope.encode({
    payload,
    signature: signer.sign(Buffer.concat([Buffer.from(context), payload])),
    signer: signer.publicKey,
  }).finish();

test('another signer, a signature made for another purpose, or nobody trusted', () => {
  assert.ok(sample);
  const bytes = sealDesired(sample, signer);
  const other = signerFromSeed(generateSeed());
  const refused = { code: 'SKEIN_BAD_SIGNATURE', message: /^over there: not signed by a trusted/ };
  assert.throws(() => openDesired(sealDesired(sample, other), trusted, 'over there'), refused);
  assert.throws(() => openDesired(bytes, [], 'over there'), refused);
  const payload = wire.DesiredKey.encode(desiredToWire(sample)).finish();
  assert.throws(() => openDesired(envelope(payload, ''), trusted, 'over there'), refused);
  const both = [verifierFromPublic(other.publicKey), ...trusted];
  assert.deepEqual(openDesired(bytes, both, 'over there'), sample);
});

test('what a trusted signer should not have sealed names the place and the field', () => {
  assert.ok(sample);
  const good = desiredToWire(sample);
  const cases: [Partial<wire.DesiredKey>, RegExp][] = [
    [{ name: 'A b' }, /^here: invalid name/],
    [{ generation: 0n }, /^here: invalid generation/],
    [{ rules: [{ ...RULE, selector: '((' }] }, /^here: invalid rules/],
    [
      { expiry: { at: new Date(0), defaultValue: true, rules: [{ ...RULE, selector: '((' }] } },
      /^here: invalid expiry\.rules/,
    ],
    [{ change: undefined }, /^here: change: missing/],
    [
      { change: good.change && { ...good.change, action: wire.Action.UNSPECIFIED } },
      /^here: change\.action/,
    ],
    [
      { change: good.change && { ...good.change, time: undefined } },
      /^here: change\.time: missing/,
    ],
  ];
  for (const [wrong, message] of cases) {
    const payload = wire.DesiredKey.encode({ ...good, ...wrong }).finish();
    const open = () => openDesired(envelope(payload), trusted, 'here');
    assert.throws(open, { code: 'SKEIN_STORE_CORRUPT', message });
  }
  const open = () => openDesired(envelope(new Uint8Array([0xff])), trusted, 'here');
  assert.throws(open, { code: 'SKEIN_STORE_CORRUPT', message: 'here: does not decode' });
});

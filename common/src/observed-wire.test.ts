import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as wire from '#proto/gen/skein/v1/observed.ts';
import { type KeyObservation, observationDigest } from './observed.ts';
import {
  observationFromWire,
  observationToWire,
  reportFromWire,
  reportToWire,
} from './observed-wire.ts';

const time = fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true });
const uint64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
const uint32 = fc.nat();
const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record<T>(model, { noNullPrototype: true });

const observation: fc.Arbitrary<KeyObservation> = record({
  key: fc.string(),
  generation: uint64,
  value: fc.boolean(),
  outcome: fc.constantFrom('applied', 'unchanged'),
  tier: fc.constantFrom('dynamic', 'specialised'),
  pokeNs: uint64,
  applyNs: uint64,
  appliedAt: time,
  publishedAt: time,
  error: record({ code: fc.string({ minLength: 1 }), message: fc.string() }),
}).chain(({ publishedAt, error, ...rest }) =>
  fc.constantFrom<KeyObservation>(
    rest,
    { ...rest, publishedAt },
    { ...rest, outcome: 'failed', error },
  ),
);
const program = record({
  unit: fc.string(),
  program: fc.string(),
  type: fc.string(),
  attachPoint: fc.string(),
  tier: fc.constantFrom('dynamic' as const, 'specialised' as const),
  programId: uint32,
  sites: uint32,
  variants: uint32,
  variantBytes: uint32,
  bytesSaved: fc.integer(),
  tierReason: fc.string(),
  statistics: record({
    verifiedInstructions: uint32,
    verificationTimeUs: uint32,
    stackDepthBytes: uint32,
    totalStates: uint32,
    peakStates: uint32,
    xlatedBytes: uint32,
    jitedBytes: uint32,
  }),
  staticKeys: fc.dictionary(fc.stringMatching(/^[a-z]\w*$/), fc.boolean(), {
    noNullPrototype: true,
  }),
});
const report = record({
  host: fc.string(),
  labels: fc.dictionary(fc.stringMatching(/^[a-z]+$/), fc.string(), { noNullPrototype: true }),
  agentVersion: fc.string(),
  engine: fc.string(),
  kernelRelease: fc.string(),
  incarnation: fc.string(),
  keys: fc.array(observation, { maxLength: 3 }),
  programs: fc.array(program, { maxLength: 3 }),
});

test('a report goes over the wire and comes out as it was', () => {
  fc.assert(
    fc.property(report, (sent) => {
      const bytes = wire.HostStatus.encode(reportToWire(sent)).finish();
      assert.deepEqual(reportFromWire(wire.HostStatus.decode(bytes)), sent);
    }),
  );
});

test('what is missing, unknown or out of range is refused by name', () => {
  const [sample] = fc.sample(observation, 1);
  assert.ok(sample);
  const good = observationToWire(sample);
  const cases: [Partial<wire.KeyObservation>, RegExp][] = [
    [{ outcome: wire.Outcome.UNSPECIFIED }, /^observation\.outcome: unknown enum value 0/],
    [{ outcome: wire.Outcome.UNRECOGNIZED }, /^observation\.outcome/],
    [{ tier: wire.Tier.UNSPECIFIED }, /^observation\.tier/],
    [{ appliedAt: undefined }, /^observation\.applied_at: missing/],
    [{ appliedAt: new Date(Number.NaN) }, /^observation\.applied_at: out of range/],
    [{ publishedAt: new Date(Number.NaN) }, /^observation\.published_at: out of range/],
  ];
  for (const [wrong, message] of cases) {
    assert.throws(() => observationFromWire({ ...good, ...wrong }), {
      code: 'SKEIN_STORE_CORRUPT',
      message,
    });
  }
});

test('any bytes are read or refused; what is read can be written again', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
      let read: ReturnType<typeof reportFromWire>;
      try {
        read = reportFromWire(wire.HostStatus.decode(bytes));
      } catch {
        return;
      }
      wire.HostStatus.encode(reportToWire(read)).finish();
    }),
    { numRuns: 2_000 },
  );
});

test('the digest sees key, generation, value and outcome, and no order', () => {
  const keys = fc.uniqueArray(observation, { minLength: 1, maxLength: 4, selector: (o) => o.key });
  const text = (all: KeyObservation[]) => Buffer.from(observationDigest(all)).toString('hex');
  fc.assert(
    fc.property(keys, (all) => {
      const [first, ...rest] = all;
      assert.ok(first);
      assert.equal(text([...all].reverse()), text(all));
      assert.equal(text([{ ...first, pokeNs: first.pokeNs ^ 1n }, ...rest]), text(all));
      for (const changed of [
        { ...first, generation: first.generation ^ 1n },
        { ...first, value: !first.value },
        {
          ...first,
          outcome: first.outcome === 'failed' ? ('applied' as const) : ('failed' as const),
        },
        { ...first, key: `${first.key}x` },
      ]) {
        assert.notEqual(text([changed, ...rest]), text(all));
      }
      assert.notEqual(text(rest), text(all));
    }),
  );
});

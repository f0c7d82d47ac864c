import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as wire from '#proto/gen/skein/v1/observed.ts';
import { SkeinError } from './errors.ts';
import { pageOfSites, SITES_PER_PAGE, type SiteReport } from './site.ts';
import {
  queryFromWire,
  queryToWire,
  replyFromWire,
  replyToWire,
  siteFromWire,
  siteToWire,
} from './site-wire.ts';

const uint32 = fc.nat();
const name = fc.string({ minLength: 1 });
const site: fc.Arbitrary<SiteReport> = fc.record<SiteReport>(
  {
    unit: name,
    program: name,
    key: name,
    function: name,
    section: name,
    sectionOffset: uint32,
    functionOffset: uint32,
    source: fc.option(fc.record({ file: name, line: uint32 }, { noNullPrototype: true }), {
      nil: undefined,
    }),
    encoding: fc.constantFrom('default', 'section', 'self-compare', 'selectable-ja'),
    inverse: fc.boolean(),
    on: fc.boolean(),
    state: fc.constantFrom('branch', 'removed', 'unreachable'),
    translatedOffset: fc.option(uint32, { nil: undefined }),
    jitedOffset: fc.option(uint32, { nil: undefined }),
    address: fc.option(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), { nil: undefined }),
  },
  { noNullPrototype: true },
);

test('a page of sites goes over the wire and comes out as it was', () => {
  fc.assert(
    fc.property(fc.array(site, { maxLength: 4 }), uint32, (sites, total) => {
      const bytes = wire.SitesReply.encode(replyToWire({ sites, total })).finish();
      assert.deepEqual(replyFromWire(wire.SitesReply.decode(bytes)), { sites, total });
    }),
  );
});

test('a query goes over the wire and comes out as it was', () => {
  const optional = { unit: name, program: name, key: name, offset: uint32 };
  const query = fc.record(optional, { requiredKeys: ['offset'], noNullPrototype: true });
  fc.assert(
    fc.property(query, (sent) => {
      const bytes = wire.SitesRequest.encode(queryToWire(sent)).finish();
      assert.deepEqual(queryFromWire(wire.SitesRequest.decode(bytes)), sent);
    }),
  );
});

test('an error of the agent is thrown as it was; one without a known code as internal', () => {
  const silent = new SkeinError('SKEIN_HELPER_DIED', 'the helper ended');
  assert.throws(() => replyFromWire(replyToWire(silent)), {
    code: 'SKEIN_HELPER_DIED',
    message: 'the helper ended',
  });
  const newer = { ...replyToWire(silent), errorCode: 'SKEIN_OF_LATER' };
  assert.throws(() => replyFromWire(newer), { code: 'SKEIN_INTERNAL' });
});

test('an unknown enum is refused by name', () => {
  const [sample] = fc.sample(site, 1);
  assert.ok(sample);
  for (const [wrong, message] of [
    [{ encoding: wire.Encoding.UNSPECIFIED }, /^site\.encoding/],
    [{ state: wire.SiteState.UNRECOGNIZED }, /^site\.state/],
  ] as const) {
    assert.throws(() => siteFromWire({ ...siteToWire(sample), ...wrong }), {
      code: 'SKEIN_STORE_CORRUPT',
      message,
    });
  }
});

test('pages hold what matches, all of it once', () => {
  const [sample] = fc.sample(site, 1);
  assert.ok(sample);
  const count = 2 * SITES_PER_PAGE + 1;
  const all = Array.from({ length: 2 * count }, (_, index): SiteReport => {
    return { ...sample, key: index % 2 === 0 ? 'wanted' : 'other', sectionOffset: index };
  });
  const found: SiteReport[] = [];
  for (let offset = 0; ; ) {
    const { sites, total } = pageOfSites(all, { key: 'wanted', offset });
    assert.equal(total, count);
    assert.ok(sites.length <= SITES_PER_PAGE);
    found.push(...sites);
    offset += sites.length;
    if (sites.length === 0 || offset === total) break;
  }
  assert.deepEqual(
    found,
    all.filter(({ key }) => key === 'wanted'),
  );
});

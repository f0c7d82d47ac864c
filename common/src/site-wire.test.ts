import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as wire from '#proto/gen/skein/v1/observed.ts';
import { type AssemblyInstruction, pageOfAssembly } from './assembly.ts';
import { SkeinError } from './errors.ts';
import { pageOfSites, SITES_PER_PAGE, type SiteReport } from './site.ts';
import {
  dumpQueryToWire,
  dumpReplyFromWire,
  dumpReplyToWire,
  queryFromWire,
  queryToWire,
  replyFromWire,
  replyToWire,
  siteFromWire,
  siteToWire,
} from './site-wire.ts';

const uint32 = fc.nat();
const name = fc.string({ minLength: 1 });
const source = fc.option(fc.record({ file: name, line: uint32 }, { noNullPrototype: true }), {
  nil: undefined,
});
const site: fc.Arbitrary<SiteReport> = fc.record<SiteReport>(
  {
    unit: name,
    program: name,
    key: name,
    function: name,
    section: name,
    sectionOffset: uint32,
    functionOffset: uint32,
    source,
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

const instruction: fc.Arbitrary<AssemblyInstruction> = fc.record<AssemblyInstruction>(
  {
    instruction: uint32,
    opcode: fc.nat(255),
    function: name,
    text: name,
    source,
    site: fc.option(
      fc.record(
        {
          key: name,
          encoding: fc.constantFrom('default', 'section', 'self-compare', 'selectable-ja'),
          inverse: fc.boolean(),
          target: uint32,
          isJump: fc.boolean(),
          live: fc.option(
            fc.record(
              {
                on: fc.boolean(),
                state: fc.constantFrom('branch', 'removed', 'unreachable'),
              },
              { noNullPrototype: true },
            ),
            { nil: undefined },
          ),
        },
        { noNullPrototype: true },
      ),
      { nil: undefined },
    ),
  },
  { noNullPrototype: true },
);

test('a page of a program goes over the wire and comes out as it was', () => {
  const page = {
    section: name,
    instructions: fc.array(instruction, { maxLength: 4 }),
    total: uint32,
  };
  fc.assert(
    fc.property(fc.record(page, { noNullPrototype: true }), (sent) => {
      const bytes = wire.SitesReply.encode(dumpReplyToWire(sent)).finish();
      assert.deepEqual(dumpReplyFromWire(wire.SitesReply.decode(bytes)), sent);
    }),
  );
  const failed = replyToWire(new SkeinError('SKEIN_BAD_PROGRAM', 'it has CO-RE relocations'));
  assert.throws(() => dumpReplyFromWire(failed), { code: 'SKEIN_BAD_PROGRAM' });
  const query = dumpQueryToWire({ unit: 'guard', program: 'ingress', offset: 7 });
  const sent = { unit: 'guard', program: 'ingress', key: '', offset: 7, instructions: true };
  assert.deepEqual(wire.SitesRequest.decode(wire.SitesRequest.encode(query).finish()), sent);
});

test('pages hold all of a program, once', () => {
  const [sample] = fc.sample(instruction, 1);
  assert.ok(sample);
  const instructions = Array.from({ length: 2_001 }, (_, at) => ({ ...sample, instruction: at }));
  const pages = [0, 1_000, 2_000].map((offset) =>
    pageOfAssembly({ name: 'ingress', section: 'xdp', instructions }, offset),
  );
  assert.deepEqual(
    pages.map(({ total, section }) => [total, section]),
    pages.map(() => [2_001, 'xdp']),
  );
  assert.deepEqual(
    pages.flatMap((page) => page.instructions),
    instructions,
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

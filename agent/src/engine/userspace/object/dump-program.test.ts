import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sitesOfProgram } from '#agent/object/call-graph.ts';
import { readObject } from '#agent/object/read-object.ts';
import { fixture } from '#agent/object/testdata/fixtures.ts';
import { siteIdentity } from '../../site-identity.ts';
import { dumpProgram } from './dump-program.ts';

const spec = readObject(fixture('branches.o'));

test('every static branch is marked with what is known of it, those of subprograms too', () => {
  const sites = sitesOfProgram(spec, 'mixed');
  const live = sites.map((site, index) => ({
    program: 'mixed',
    ...siteIdentity(spec, site),
    on: index % 2 === 0,
    state: index % 3 === 0 ? ('removed' as const) : ('branch' as const),
    translatedOffset: undefined,
    jitedOffset: undefined,
    address: undefined,
  }));
  const { instructions } = dumpProgram(spec, 'mixed', live);
  const marked = instructions.flatMap(({ function: fn, source, site }) =>
    site?.isJump ? [`${fn} ${site.key} ${source?.line} ${site.live?.on} ${site.live?.state}`] : [],
  );
  const known = live.map(
    (site) => `${site.function} ${site.key} ${site.source?.line} ${site.on} ${site.state}`,
  );
  assert.deepEqual(marked.sort(), known.sort());
  assert.ok(new Set(live.map((site) => site.function)).size > 1);
});

test('without a host nothing is said of what became of static branches', () => {
  const { instructions } = dumpProgram(spec, 'mixed');
  const sites = instructions.flatMap(({ site }) => site ?? []);
  assert.notEqual(sites.length, 0);
  for (const { live } of sites) assert.equal(live, undefined);
  assert.throws(() => dumpProgram(spec, 'absent'), { code: 'SKEIN_INVALID_ARGUMENT' });
});

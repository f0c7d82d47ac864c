import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { SkeinError } from '#common/errors.ts';
import { instructionToWire, siteToWire } from '#common/site-wire.ts';
import type { DumpProgramRequest, ListSitesRequest } from '#proto/gen/skein/v1/fleet.ts';
import { startFakeController } from '../testing/fake-controller.ts';
import { runSkein } from '../testing/run-skein.ts';
import { hostToWire, sampleAssembly, sampleHost, sampleSite } from '../testing/samples.ts';

const PROGRAM = sampleAssembly();
const dumped: DumpProgramRequest[] = [];
const asked: ListSitesRequest[] = [];
const controller = await startFakeController({
  listHosts: () => ({
    hosts: [hostToWire(sampleHost('web-1')), hostToWire(sampleHost('web-2'))],
    nextPageToken: '',
  }),
  getHost: ({ name }) => hostToWire(sampleHost(name)),
  dumpProgram: (request) => {
    dumped.push(request);
    const all = PROGRAM.instructions.map(instructionToWire);
    const instructions = all.slice(request.offset, request.offset + 3);
    return { section: PROGRAM.section, instructions, total: all.length };
  },
  listSites: (request) => {
    asked.push(request);
    if (request.host === 'silent') throw new SkeinError('SKEIN_HOST_SILENT', 'host "silent"');
    if (request.key === 'none') return { sites: [], total: 0 };
    // Pages of two, of five sites in all.
    const all = [0, 1, 2, 3, 4].map((sectionOffset) => siteToWire(sampleSite({ sectionOffset })));
    return { sites: all.slice(request.offset, request.offset + 2), total: all.length };
  },
});
after(() => controller[Symbol.asyncDispose]());
const AT = { SKEIN_SERVER: controller.address };

const run = (line: string) => runSkein(line.split(' '), AT);

test('program list: of every host, or of one', async () => {
  const every = JSON.parse((await run('program list -o json')).stdout).programs;
  assert.deepEqual(
    every.map(({ host }: { host: string }) => host),
    ['web-1', 'web-2'],
  );
  const one = JSON.parse((await run('program list web-3 -o json')).stdout).programs;
  assert.deepEqual([one.length, one[0].host, one[0].variants], [1, 'web-3', 1]);
  assert.match((await run('program list')).stdout, /^HOST +UNIT +PROGRAM .*\nweb-1 +guard /);
  const both = await run('program list web-1 --selector a=b');
  assert.deepEqual([both.code, both.stdout], [2, '']);
});

test('program get: one, by unit and name', async () => {
  const { stdout } = await run('program get web-1 guard/guard_ingress -o json');
  const { host, unit, program, tier, bytesSaved } = JSON.parse(stdout);
  assert.deepEqual(
    [host, unit, program, tier, bytesSaved],
    ['web-1', 'guard', 'guard_ingress', 'dynamic', 0],
  );
  for (const [name, code, message] of [
    ['guard/absent', 4, /"guard\/absent" on host "web-1"\. .* skein program list web-1\./],
    ['guard', 4, /SKEIN_PROGRAM_NOT_FOUND: .* \(did you mean guard\/guard_ingress\?\)/],
    ['guard/', 2, /SKEIN_INVALID_ARGUMENT: PROGRAM: "guard\/" is not UNIT\/PROGRAM/],
  ] as const) {
    const failed = await run(`program get web-1 ${name}`);
    assert.equal(failed.code, code);
    assert.match(failed.stderr, message);
  }
});

test('program sites: every page, and only what is asked for', async () => {
  asked.length = 0;
  const { stdout } = await run('program sites web-1 guard/guard_ingress --key drop_icmp -o json');
  const offsets = JSON.parse(stdout).sites.map(
    ({ sectionOffset }: { sectionOffset: number }) => sectionOffset,
  );
  assert.deepEqual(offsets, [0, 1, 2, 3, 4]);
  const query = { host: 'web-1', unit: 'guard', program: 'guard_ingress', key: 'drop_icmp' };
  assert.deepEqual(
    asked,
    [0, 2, 4].map((offset) => ({ ...query, offset })),
  );
  assert.match((await run('program sites web-1')).stdout, /^PROGRAM +KEY +FUNCTION /);
  assert.equal((await run('program sites web-1 --key none')).stderr, 'No sites.\n');
  assert.equal((await run('program sites web-1 guard --key none')).stderr, 'No sites.\n');
  for (const absent of ['guard/absent', 'absent']) {
    const { code, stderr } = await run(`program sites web-1 ${absent} --key none`);
    assert.equal(code, 4);
    assert.match(stderr, /SKEIN_PROGRAM_NOT_FOUND: "(guard\/)?absent" on host "web-1"/);
  }
  const unit = await run('program sites web-1 gaurd --key none');
  assert.match(unit.stderr, /"gaurd" on host "web-1" \(did you mean guard\?\)/);
});

test('program dump: every page of one program, with its tier', async () => {
  dumped.length = 0;
  const { stdout } = await run('program dump web-1 guard/guard_ingress -o json');
  const document = JSON.parse(stdout);
  assert.deepEqual(
    [document.host, document.unit, document.name, document.tier, document.section],
    ['web-1', 'guard', 'guard_ingress', 'dynamic', 'xdp'],
  );
  assert.deepEqual(document.instructions, JSON.parse(JSON.stringify(PROGRAM.instructions)));
  const query = { host: 'web-1', unit: 'guard', program: 'guard_ingress' };
  assert.deepEqual(
    dumped,
    [0, 3].map((offset) => ({ ...query, offset })),
  );
  const text = (await run('program dump web-1 guard/guard_ingress')).stdout;
  assert.match(text, /^; guard\/guard_ingress on web-1, as its object has it\. Tier dynamic: /);
  assert.match(text, /^\* +3: .*; drop_icmp: on jumps, .*; now on$/m);
  for (const [name, code, message] of [
    ['guard/absent', 4, /SKEIN_PROGRAM_NOT_FOUND: "guard\/absent" on host "web-1"/],
    ['guard', 4, /SKEIN_PROGRAM_NOT_FOUND: "guard" on host "web-1"/],
    ['guard/', 2, /SKEIN_INVALID_ARGUMENT/],
  ] as const) {
    const failed = await run(`program dump web-1 ${name}`);
    assert.equal(failed.code, code);
    assert.match(failed.stderr, message);
  }
});

test('program sites: a host that does not answer', async () => {
  const { code, stderr } = await run('program sites silent');
  assert.equal(code, 1);
  assert.match(stderr, /^error: SKEIN_HOST_SILENT: host "silent"\. [^\n]+\n$/);
});

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { AssemblyInstruction } from '#common/assembly.ts';
import { SkeinError } from '#common/errors.ts';
import { pageOfSites, SITES_PER_PAGE, type SiteReport } from '#common/site.ts';
import {
  dumpReplyToWire,
  instructionFromWire,
  queryFromWire,
  replyToWire,
  siteFromWire,
} from '#common/site-wire.ts';
import { Encoding, SitesReply, SitesRequest } from '#proto/gen/skein/v1/observed.ts';
import { sitesRequestSubject } from '#proto/subjects.ts';
import { until } from '../../../test/support/until.ts';
import { FakeHost } from '../testing/fake-host.ts';
import { Harness } from '../testing/harness.ts';
import type { TestClient } from '../testing/test-client.ts';

let harness: Harness;
let client: TestClient;
before(async () => {
  harness = await Harness.start();
  client = harness.client(await harness.controller());
});
after(() => harness[Symbol.asyncDispose]());

async function liveHost(name: string, intervalMs?: number): Promise<FakeHost> {
  const host = new FakeHost(harness.nc, name);
  host.status();
  host.heartbeat(intervalMs);
  await until('reported', async () => (await client.hosts(`host=${name}`)).length === 1);
  return host;
}

/** Answers as an agent does, from the moment that this resolves: a flush has told the server so. */
function answer(host: string, reply: (data: Uint8Array) => SitesReply): Promise<void> {
  harness.nc.subscribe(sitesRequestSubject(host), {
    callback: (_, request) => {
      request.respond(SitesReply.encode(reply(request.data)).finish());
    },
  });
  return harness.nc.flush();
}

test('asks the agent, page by page', async () => {
  const host = await liveHost('web-1.example');
  const all = Array.from({ length: SITES_PER_PAGE + 5 }, (_, at) => siteAt(at));
  await answer(host.name, (data) =>
    replyToWire(pageOfSites(all, queryFromWire(SitesRequest.decode(data)))),
  );
  const first = await client.sites(host.name, { unit: 'guard' });
  assert.equal(first.total, all.length);
  assert.deepEqual(first.sites.map(siteFromWire), all.slice(0, SITES_PER_PAGE));
  const rest = await client.sites(host.name, { offset: SITES_PER_PAGE });
  assert.deepEqual(rest.sites.map(siteFromWire), all.slice(SITES_PER_PAGE));
  assert.deepEqual(await client.sites(host.name, { key: 'other' }), { sites: [], total: 0 });
});

test('gives on what the agent says', async () => {
  const host = await liveHost('broken');
  await answer(host.name, () => replyToWire(new SkeinError('SKEIN_HELPER_DIED', 'it ended')));
  await assert.rejects(client.sites(host.name), {
    code: 'SKEIN_HELPER_DIED',
    message: 'it ended',
  });
});

test('gives on a program in assembly, from where it is asked to', async () => {
  const host = await liveHost('dumped');
  const asked: SitesRequest[] = [];
  const page = { section: 'xdp', instructions: [INSTRUCTION], total: 8 };
  await answer(host.name, (data) => {
    asked.push(SitesRequest.decode(data));
    return dumpReplyToWire(page);
  });
  const wanted = { unit: 'guard', program: 'ingress', offset: 7 };
  const { instructions, ...rest } = await client.dump({ host: host.name, ...wanted });
  assert.deepEqual({ ...rest, instructions: instructions.map(instructionFromWire) }, page);
  assert.deepEqual(asked, [{ ...wanted, key: '', instructions: true }]);
  await assert.rejects(client.dump({ host: 'nobody', ...wanted }), {
    code: 'SKEIN_HOST_NOT_FOUND',
  });
});

test('refuses an answer that it cannot read', async () => {
  const host = await liveHost('strange');
  const site = { ...replyToWire({ sites: [siteAt(0)], total: 1 }).sites[0] };
  await answer(host.name, () =>
    SitesReply.fromPartial({ sites: [{ ...site, encoding: Encoding.UNSPECIFIED }], total: 1 }),
  );
  await assert.rejects(client.sites(host.name), { code: 'SKEIN_STORE_CORRUPT' });
});

test('a host that is unknown, lost, or without an agent that answers', async () => {
  await assert.rejects(client.sites('nobody'), { code: 'SKEIN_HOST_NOT_FOUND' });
  await assert.rejects(client.sites('Not A Host'), {
    code: 'SKEIN_INVALID_ARGUMENT',
    message: /^host: /,
  });
  await liveHost('mute');
  await assert.rejects(client.sites('mute'), {
    code: 'SKEIN_HOST_SILENT',
    message: 'host "mute"',
  });
  const lost = await liveHost('lost', 1);
  await answer(lost.name, () => assert.fail('a lost host is not asked'));
  await until('lost', async () => {
    const error: unknown = await client.sites(lost.name).catch((thrown) => thrown);
    return error instanceof SkeinError && error.code === 'SKEIN_HOST_SILENT';
  });
});

const INSTRUCTION: AssemblyInstruction = {
  instruction: 3,
  opcode: 0x55,
  function: 'ingress',
  text: 'if r0 != 0x0 goto pc+1',
  source: { file: '/src/guard.bpf.c', line: 7 },
  site: {
    key: 'drop',
    encoding: 'default',
    inverse: false,
    target: 5,
    isJump: true,
    live: { on: true, state: 'branch' },
  },
};

function siteAt(at: number): SiteReport {
  return {
    unit: 'guard',
    program: 'ingress',
    key: 'drop',
    function: 'ingress',
    section: 'xdp',
    sectionOffset: at,
    functionOffset: at,
    source: { file: '/src/guard.bpf.c', line: 7 },
    encoding: 'default',
    inverse: false,
    on: true,
    state: 'branch',
    translatedOffset: at,
    jitedOffset: 4 * at,
    address: 0xffff_ffff_c000_0000n + BigInt(4 * at),
  };
}

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { DumpQuery } from '#common/assembly.ts';
import { SkeinError } from '#common/errors.ts';
import type { SitesQuery } from '#common/site.ts';
import {
  dumpQueryToWire,
  dumpReplyFromWire,
  queryToWire,
  replyFromWire,
} from '#common/site-wire.ts';
import { SitesReply, SitesRequest } from '#proto/gen/skein/v1/observed.ts';
import { sitesRequestSubject } from '#proto/subjects.ts';
import { startNatsServer } from '../../../test/support/nats-server.ts';
import { until } from '../../../test/support/until.ts';
import { ControlPlane } from '../testing/control-plane.ts';
import { desiredState, target } from '../testing/fixtures.ts';
import { TestHost } from '../testing/test-agent.ts';

const MIXED = { unit: 'guard', program: 'mixed' };

describe('an agent', () => {
  const undo = new AsyncDisposableStack();
  let plane: ControlPlane;
  let host: TestHost;
  before(async () => {
    const server = await startNatsServer();
    undo.defer(() => server.stop());
    plane = await ControlPlane.connect(server.url);
    undo.defer(() => plane.close());
    host = undo.use(new TestHost());
    const { agent } = await host.start(server.url);
    await plane.put(desiredState('net.alpha', { value: true }));
    await until('on', () => agent.ready && host.value('alpha') === true);
  });
  after(() => undo.disposeAsync());

  const ask = async (request: SitesRequest): Promise<SitesReply> => {
    const data = SitesRequest.encode(request).finish();
    const reply = await plane.connection.request(sitesRequestSubject(target.host), data);
    return SitesReply.decode(reply.data);
  };
  const askSites = async (query: SitesQuery) => replyFromWire(await ask(queryToWire(query)));
  const askDump = async (query: DumpQuery) => dumpReplyFromWire(await ask(dumpQueryToWire(query)));

  it('tells who asks where the static branches are, and which side runs', async () => {
    const { sites, total } = await askSites({ key: 'alpha', offset: 0 });
    assert.ok(total > 1);
    assert.equal(sites.length, total);
    for (const { unit, program, key, on } of sites) {
      assert.deepEqual([unit, program, key, on], ['guard', 'mixed', 'alpha', true]);
    }
    assert.deepEqual((await askSites({ key: 'alpha', offset: 1 })).sites, sites.slice(1));
    assert.equal((await askSites({ unit: 'absent', offset: 0 })).total, 0);
    assert.ok((await askSites({ unit: 'guard', program: 'mixed', offset: 0 })).total > total);
    host.world.fail('sites', 'guard', new SkeinError('SKEIN_HELPER_DIED', 'it ended'));
    await assert.rejects(askSites({ offset: 0 }), {
      code: 'SKEIN_HELPER_DIED',
      message: 'it ended',
    });
  });

  it('writes a program in assembly to who asks, with what became of its static branches', async () => {
    const { section, instructions, total } = await askDump({ ...MIXED, offset: 0 });
    assert.deepEqual([section, instructions.length], ['xdp', total]);
    // The fake engine tells of no site in a subprogram.
    const own = instructions.filter((each) => each.function === 'mixed');
    const jumps = own.flatMap(({ site }) => (site?.isJump ? [site] : []));
    const { sites } = await askSites({ ...MIXED, offset: 0 });
    assert.deepEqual(
      jumps.map(({ key, live }) => `${key} ${live?.on} ${live?.state}`).sort(),
      sites.map(({ key, on, state }) => `${key} ${on} ${state}`).sort(),
    );
    assert.ok(jumps.some(({ key, live }) => key === 'alpha' && live?.on));
    assert.equal(instructions.find(({ text }) => text === 'exit')?.function, 'mixed');
    assert.deepEqual((await askDump({ ...MIXED, offset: 3 })).instructions, instructions.slice(3));
    await assert.rejects(askDump({ ...MIXED, program: 'absent', offset: 0 }), {
      code: 'SKEIN_PROGRAM_NOT_FOUND',
      message: '"guard/absent" on host "web-1.example"',
    });
  });
});

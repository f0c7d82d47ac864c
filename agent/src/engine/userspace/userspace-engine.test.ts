import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { mock, test } from 'node:test';
import { SkeinError } from '#common/errors.ts';
import { until } from '../../../../test/support/until.ts';
import { describeEngineContract } from '../contract.ts';
import { RuntimeSession } from './runtime/runtime-session.ts';
import type { UserspaceEngine } from './userspace-engine.ts';
import { NOTHING, UserspaceWorld } from './userspace-fixture.ts';

if (process.arch === 'x64') {
  describeEngineContract('userspace', async () => new UserspaceWorld());
  describeEngineContract('userspace, two runtimes', async () => new UserspaceWorld(2));
}

/** Runs in a world of its own, which is gone afterwards. */
function userspaceTest(
  name: string,
  servers: number,
  body: (world: UserspaceWorld) => Promise<void>,
) {
  test(name, { skip: process.arch === 'x64' ? false : 'the JIT is for x86-64' }, async () => {
    await using world = new UserspaceWorld(servers);
    await body(world);
  });
}

const request = (world: UserspaceWorld) => world.spec('shop', 'request', 'request', 'request');

userspaceTest('a program for plain memory: globals, a subprogram, two keys', 1, async (world) => {
  const engine = await world.createEngine();
  const spec = request(world);
  const [server] = world.servers;
  assert.ok(server);
  const run = async (text: string) => {
    const { verdict, bytes } = await server.run('request', Buffer.from(text));
    return `${verdict} ${bytes.toString()}`;
  };
  await engine.load(spec);
  assert.equal(await run('hello'), `${NOTHING} hello`);
  const status = await engine.attach(spec.name);
  assert.deepEqual(
    [status.attached, status.programs[0]?.tier, status.programs[0]?.attachPoint],
    [true, 'patched', `userspace request in server-0[${server.pid}]`],
  );
  assert.deepEqual(
    [await run('hello'), await run('\0'), await run('xyz'), await run('too long')],
    ['0 hello', '1 \0', '2 xyz', '3 too long'],
  );
  await engine.flip(
    spec.name,
    new Map([
      ['shout', true],
      ['refuse_empty', false],
    ]),
  );
  assert.deepEqual([await run('hello'), await run('\0')], ['0 Hello', '0 \0']);
  const place = { index: 0, offset: 0, size: 8 } as const;
  assert.deepEqual(await engine.readCounters(spec.name, '.bss', [place]), [6n]);
});

userspaceTest('without a runtime a unit is loaded, flipped and waits', 0, async (world) => {
  const engine = await world.createEngine();
  const { unit } = world;
  await engine.load(unit);
  await engine.flip(unit.name, new Map([['off_by_default', true]]));
  const status = await engine.attach(unit.name);
  assert.equal(status.attached, false);
  assert.equal(status.programs[0]?.attachPoint, 'userspace front');
  assert.deepEqual(status.keys.get('off_by_default'), true);
  const sites = await engine.sites(unit.name);
  assert.deepEqual(new Set(sites.map(({ address }) => address)), new Set([undefined]));

  world.addServer();
  const late = await until(
    'the late runtime',
    async () => (await engine.observe(unit.name)).attached,
  );
  assert.ok(late);
  const behaviour = await world.behaviour();
  assert.deepEqual(
    behaviour?.keys,
    new Map([
      ['off_by_default', true],
      ['on_by_default', true],
    ]),
  );
});

userspaceTest('a runtime that dies takes nothing with it but its hooks', 2, async (world) => {
  const engine = await world.createEngine();
  const { unit } = world;
  await engine.load(unit);
  await engine.attach(unit.name);
  const [first, second] = world.servers;
  assert.ok(first && second);
  world.events.length = 0;
  await first.kill();
  await engine.flip(unit.name, new Map([['off_by_default', true]]));
  assert.equal((await second.run('front', new Uint8Array(64))).verdict & 1, 1);
  await until('one runtime left', async () => {
    const { attached, programs } = await engine.observe(unit.name);
    return attached && programs[0]?.attachPoint === `userspace front in server-1[${second.pid}]`;
  });
  await second.kill();
  await until('none left', async () => !(await engine.observe(unit.name)).attached);
  assert.deepEqual(
    world.events
      .filter(({ what }) => what === 'gone')
      .map(({ runtime }) => runtime)
      .sort(),
    [`server-0[${first.pid}]`, `server-1[${second.pid}]`],
  );
});

userspaceTest('an agent that is sooner than the runtimes changes no branch', 1, async (world) => {
  const first = await world.createEngine();
  const { unit } = world;
  await first.load(unit);
  await first.attach(unit.name);
  const wanted = new Map([
    ['off_by_default', true],
    ['on_by_default', false],
  ]);
  await first.flip(unit.name, wanted);
  const [server] = world.servers;
  server?.pause();
  await first.close();

  const second = await world.createLonelyEngine();
  assert.equal(await second.adopt(unit), undefined);
  await second.load(unit);
  await second.flip(unit.name, new Map([['on_by_default', true]]));
  await second.attach(unit.name);
  server?.resume();
  await until('the runtime is back', async () => (await second.observe(unit.name)).attached);
  const expected = new Map([
    ['off_by_default', true],
    ['on_by_default', true],
  ]);
  assert.deepEqual((await world.behaviour())?.keys, expected);
  assert.deepEqual((await second.observe(unit.name)).keys, expected);
});

userspaceTest(
  'what one runtime runs is taken over, whatever another one lacks',
  1,
  async (world) => {
    const first = await world.createEngine();
    const { unit } = world;
    await first.load(unit);
    await first.attach(unit.name);
    await first.close();

    const late = world.addServer();
    const second = await world.createEngine();
    takeNoMoreMemory(late.pid);
    assert.equal((await second.adopt(unit))?.attached, true);
    const refused = world.events.filter(({ what }) => what === 'refused');
    assert.deepEqual(
      refused.map(({ runtime }) => runtime),
      [`server-1[${late.pid}]`],
    );
  },
);

userspaceTest(
  'a unit that one runtime cannot have leaves nothing in the others',
  2,
  async (world) => {
    const engine = await world.createEngine();
    const [willing, unable] = await pidsInOrder(engine);
    const mappings = () => readFileSync(`/proc/${willing}/maps`, 'utf8').split('memfd:').length;
    const before = mappings();
    takeNoMoreMemory(unable);
    await assert.rejects(engine.load(world.unit), { code: 'SKEIN_KERNEL_REFUSED' });
    assert.equal(mappings(), before);
  },
);

userspaceTest(
  'why a runtime cannot have a unit is told also where another one lets go of nothing',
  2,
  async (world) => {
    const engine = await world.createEngine();
    const [, unable] = await pidsInOrder(engine);
    takeNoMoreMemory(unable);
    const close = mock.method(RuntimeSession.prototype, 'close', () =>
      Promise.reject(new Error('refused')),
    );
    try {
      await assert.rejects(engine.load(world.unit), { code: 'SKEIN_KERNEL_REFUSED' });
      assert.equal(close.mock.callCount(), 2);
    } finally {
      close.mock.restore();
    }
  },
);

/** Of the two runtimes, as the engine comes to them. */
async function pidsInOrder(engine: UserspaceEngine): Promise<readonly [number, number]> {
  const { features } = await engine.probe();
  const runtimes = features.find(({ name }) => name === 'runtimes')?.detail ?? '';
  const [first, second] = [...runtimes.matchAll(/\[(\d+)\]/g)].map(([, pid]) => Number(pid));
  assert.ok(first !== undefined && second !== undefined);
  return [first, second];
}

const takeNoMoreMemory = (pid: number) => execFileSync('prlimit', [`--pid=${pid}`, '--as=1']);

userspaceTest('one that says nothing holds up nobody', 1, async (world) => {
  const engine = await world.createLonelyEngine();
  const silent = connect(world.socket);
  await once(silent, 'connect');
  const { unit } = world;
  await engine.load(unit);
  await engine.attach(unit.name);
  await until('the other', async () => (await engine.observe(unit.name)).attached);
  silent.write('no frame of any protocol, whose length would be far too large');
  await once(silent.resume(), 'close');
  await until('the refusal', () => world.events.some(({ what }) => what === 'refused'));
});

userspaceTest('what is no program for a runtime is refused at load', 0, async (world) => {
  const engine = await world.createEngine();
  const { unit } = world;
  const tc = {
    ...unit,
    attachments: [
      {
        program: 'contract_tc',
        hook: { kind: 'userspace', hook: 'x' },
        field: 'programs.0.attach.0',
      },
    ],
  } as const;
  await assert.rejects(engine.load(tc), {
    code: 'SKEIN_CONFIG',
    message: /^programs\.0\.attach\.0\.userspace: program contract_tc is SEC\("tc"\)/,
  });
  const kernel = {
    ...unit,
    attachments: [{ program: 'contract_xdp', hook: { kind: 'xdp', device: 'lo' } }],
  } as const;
  await assert.rejects(engine.load(kernel), { code: 'SKEIN_CONFIG', message: /kernel engine/ });
  const rejected = world.spec('rejected', 'rejected', 'rejected_xdp', 'front');
  await assert.rejects(engine.load(rejected), (error) => {
    assert.ok(error instanceof SkeinError);
    assert.equal(error.code, 'SKEIN_VERIFIER_REJECTED');
    assert.match(
      error.message,
      /^program rejected_xdp: instruction \d+: .*invalid access to packet.*rejected\.bpf\.c:\d+/,
    );
    assert.match(error.detail ?? '', /R\d=pkt/);
    return true;
  });
});

userspaceTest(
  'a second agent is refused at the socket; a dead one is not in the way',
  0,
  async (world) => {
    const engine = await world.createEngine();
    await assert.rejects(world.createLonelyEngine(), { code: 'SKEIN_ADDRESS_IN_USE' });
    assert.equal(statSync(world.socket).mode & 0o777, 0o600);
    await engine.close();
    await (await world.createEngine()).close();
  },
);

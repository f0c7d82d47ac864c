import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SkeinError } from '#common/errors.ts';
import { describeEngineContract } from '../contract.ts';
import type { UnitSpec } from '../engine.ts';
import { helperChildren, KernelWorld } from './kernel-fixture.ts';

describeEngineContract('kernel', async () => new KernelWorld());

/** Runs in a world of its own, which is gone afterwards. */
function kernelTest(name: string, body: (world: KernelWorld) => Promise<void>): void {
  test(name, async () => {
    await using world = new KernelWorld();
    await body(world);
  });
}

kernelTest('a helper that dies is replaced, and the unit goes on where it was', async (world) => {
  const engine = await world.createEngine();
  const { unit } = world;
  await engine.load(unit);
  await engine.attach(unit.name);
  await engine.flip(unit.name, new Map([['off_by_default', true]]));
  const [helper] = helperChildren();
  assert.ok(helper);
  process.kill(helper, 'SIGKILL');

  const flipped = await engine.flip(unit.name, new Map([['on_by_default', false]]));
  assert.deepEqual([...flipped.keys], [['on_by_default', false]]);
  assert.ok(!helperChildren().includes(helper));
  assert.equal(world.helperExits.length, 1);
  const behaviour = await world.behaviour();
  assert.deepEqual(
    behaviour?.keys,
    new Map([
      ['off_by_default', true],
      ['on_by_default', false],
    ]),
  );
});

kernelTest('a branch that would fail verification is refused at load, off or on', async (world) => {
  const engine = await world.createEngine();
  const spec = world.spec('rejected.bpf.o');
  const [xdp] = spec.attachments;
  assert.ok(xdp);
  const rejected = { ...spec, attachments: [{ ...xdp, program: 'rejected_xdp' }] };
  await assert.rejects(engine.load(rejected), (error) => {
    assert.ok(error instanceof SkeinError);
    assert.equal(error.code, 'SKEIN_VERIFIER_REJECTED');
    assert.match(error.message, /^program rejected_xdp: .*packet/);
    assert.match(error.detail ?? '', /invalid access to packet.*processed \d+ insns/s);
    return true;
  });
  assert.deepEqual(await engine.leftovers(), []);
});

kernelTest(
  'a missing device is named, and the attached hooks of the unit are undone',
  async (world) => {
    const engine = await world.createEngine();
    const { unit } = world;
    const [xdp, tc] = unit.attachments;
    assert.ok(xdp && tc);
    const hook = { kind: 'tc', device: 'eth9', direction: 'egress' } as const;
    const broken = { ...unit, attachments: [xdp, { ...tc, hook }] };
    await engine.load(broken);
    await assert.rejects(engine.attach(unit.name), (error) => {
      assert.ok(error instanceof SkeinError);
      assert.equal(error.code, 'SKEIN_NO_DEVICE');
      assert.match(error.message, /eth9/);
      return true;
    });
    assert.equal(await world.behaviour(), undefined);
    assert.deepEqual(await engine.leftovers(), []);
  },
);

kernelTest(
  'a program that cannot be put where it is configured is refused before load',
  async (world) => {
    const engine = await world.createEngine();
    const { unit } = world;
    const attachments = [{ program: 'contract_xdp', hook: { kind: 'tp_btf' } as const }];
    await assert.rejects(
      engine.load({ ...unit, attachments }),
      /contract_xdp.*SEC\("xdp"\).*tp_btf/,
    );
    const unknown = [{ program: 'nobody', hook: { kind: 'tp_btf' } as const }];
    await assert.rejects(engine.load({ ...unit, attachments: unknown }), /no program nobody/);
  },
);

kernelTest(
  'a device that vanished is seen, and attach takes a new one of that name',
  async (world) => {
    const engine = await world.createEngine();
    const { unit } = world;
    await engine.load(unit);
    await engine.attach(unit.name);
    world.replaceDevice();
    assert.equal((await engine.observe(unit.name)).attached, false);
    assert.equal(await world.behaviour(), undefined);
    assert.equal((await engine.attach(unit.name)).attached, true);
    assert.ok(await world.behaviour());

    // The same for a process that did not load the programs.
    await engine.close();
    const second = await world.createEngine();
    assert.ok(await second.adopt(unit));
    await second.flip(unit.name, new Map([['off_by_default', true]]));
    world.replaceDevice();
    assert.equal((await second.attach(unit.name)).attached, true);
    assert.equal((await world.behaviour())?.keys.get('off_by_default'), true);
  },
);

kernelTest(
  'while a device is away attach fails and keeps what it needs for when the device is back',
  async (world) => {
    const first = await world.createEngine();
    const { unit } = world;
    await first.load(unit);
    await first.attach(unit.name);
    await first.flip(unit.name, new Map([['off_by_default', true]]));
    await first.close();

    // A process that did not load the programs can make no dispatcher for them.
    const second = await world.createEngine();
    assert.ok(await second.adopt(unit));
    world.removeDevice();
    for (let attempt = 0; attempt < 2; attempt++) {
      await assert.rejects(second.attach(unit.name), { code: 'SKEIN_NO_DEVICE' });
      assert.equal((await second.observe(unit.name)).attached, false);
    }
    world.addDevice();
    assert.equal((await second.attach(unit.name)).attached, true);
    assert.equal((await world.behaviour())?.keys.get('off_by_default'), true);
  },
);

kernelTest(
  'while a device is away a helper may end: what was attached stays, with its counters',
  async (world) => {
    const engine = await world.createEngine();
    const { unit } = world;
    const { map, place } = world.runs;
    await engine.load(unit);
    await engine.attach(unit.name);
    await world.behaviour();
    const runs = await engine.readCounters(unit.name, map, [place]);
    world.removeDevice();
    const [helper] = helperChildren();
    assert.ok(helper);
    process.kill(helper, 'SIGKILL');
    assert.equal((await engine.observe(unit.name)).attached, false);
    await assert.rejects(engine.attach(unit.name), { code: 'SKEIN_NO_DEVICE' });
    world.addDevice();
    assert.equal((await engine.attach(unit.name)).attached, true);
    const [after = 0n] = await engine.readCounters(unit.name, map, [place]);
    assert.ok(after >= (runs[0] ?? 0n) && after > 0n, `${after} after ${runs}`);
  },
);

kernelTest(
  'what is loaded beside an attached object stays out of force when a helper ends',
  async (world) => {
    const engine = await world.createEngine();
    const { unit, nextVersion } = world;
    await engine.load(unit);
    await engine.attach(unit.name);
    await engine.load(nextVersion);
    const [helper] = helperChildren();
    assert.ok(helper);
    process.kill(helper, 'SIGKILL');
    await engine.flip(unit.name, new Map([['off_by_default', true]]));
    assert.deepEqual(await world.behaviour(), { keys: world.declared, version: 'unit' });
    await engine.attach(unit.name);
    assert.equal((await world.behaviour())?.version, 'nextVersion');
  },
);

kernelTest(
  'a program that a slot cannot take is refused by name, and what ran keeps running',
  async (world) => {
    const engine = await world.createEngine();
    const { unit } = world;
    await engine.load(unit);
    await engine.attach(unit.name);
    const [xdp, tc] = unit.attachments;
    assert.ok(xdp && tc);
    const attachments = [tc, { ...xdp, field: 'programs.0.attach.1' }];
    const frags = { ...world.spec('contract-frags.bpf.o'), attachments };
    await engine.load(frags);
    await assert.rejects(engine.attach(unit.name), (error) => {
      assert.ok(error instanceof SkeinError);
      assert.equal(error.code, 'SKEIN_KERNEL_REFUSED');
      assert.match(
        error.message,
        /^programs\.0\.attach\.1\.xdp: program contract_xdp, SEC\("xdp\.frags"\), cannot take the place of what runs at xdp eth0/,
      );
      assert.match(error.remedy, /another name/);
      return true;
    });
    assert.deepEqual(await world.behaviour(), { keys: world.declared, version: 'unit' });
    assert.ok(await engine.adopt(unit));

    // As the remedy has it.
    const renamed = { ...frags, name: 'renamed' };
    await engine.load(renamed);
    await assert.rejects(engine.attach('renamed'), { code: 'SKEIN_KERNEL_REFUSED' });
    await engine.unload(unit.name);
    await engine.load(renamed);
    assert.equal((await engine.attach('renamed')).attached, true);
    await engine.unload('renamed');
  },
);

kernelTest('where nothing runs any more there is nothing to fit', async (world) => {
  const engine = await world.createEngine();
  const { unit } = world;
  await engine.load(unit);
  await engine.attach(unit.name);
  world.replaceDevice();
  await engine.load(world.spec('contract-frags.bpf.o'));
  assert.equal((await engine.attach(unit.name)).attached, true);
  assert.equal((await world.behaviour())?.version, 'nextVersion');
});

kernelTest('another section is another hook: the program moves there', async (world) => {
  const engine = await world.createEngine();
  const attachments: UnitSpec['attachments'] = [
    { program: 'on_raw_tp', hook: { kind: 'raw_tp' } },
    { program: 'on_tp_btf', hook: { kind: 'tp_btf' } },
    { program: 'on_tracepoint', hook: { kind: 'tracepoint' } },
  ];
  const enter = { ...world.spec('tracing.bpf.o'), attachments };
  await engine.load(enter);
  await engine.attach(enter.name);
  const links = () => world.pinnedLinks(enter.name);
  assert.deepEqual(links().raw_tp, ['sys_enter']);
  await engine.load({ ...enter, object: world.spec('tracing-exit.bpf.o').object });
  assert.equal((await engine.attach(enter.name)).attached, true);
  assert.deepEqual(links().raw_tp, ['sys_exit']);
  assert.equal(links().count, attachments.length);
  await engine.unload(enter.name);
});

kernelTest('tracing hooks are attached, seen and let go as others are', async (world) => {
  const engine = await world.createEngine();
  const unit: UnitSpec = {
    ...world.spec('tracing.bpf.o'),
    attachments: [
      { program: 'on_raw_tp', hook: { kind: 'raw_tp' } },
      { program: 'on_tp_btf', hook: { kind: 'tp_btf' } },
      { program: 'on_tracepoint', hook: { kind: 'tracepoint' } },
    ],
  };
  await engine.load(unit);
  await using counters = await world.openVariables(unit, ['.bss', 3]);
  await engine.flip(unit.name, new Map([['counting', true]]));
  assert.deepEqual(await counters.read(), [0, 0, 0]);

  assert.equal((await engine.attach(unit.name)).attached, true);
  const counted = await counters.read();
  assert.ok(
    counted.every((hits) => hits > 0),
    String(counted),
  );
  await engine.unload(unit.name);
  const last = await counters.read();
  assert.deepEqual(await counters.read(), last);
  assert.deepEqual(await engine.leftovers(), []);
});

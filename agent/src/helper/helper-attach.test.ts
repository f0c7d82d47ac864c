/** Every kind of hook, on things that the tests make themselves. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { AttachRequest } from '#proto/gen/skein/v1/helper.ts';
import type { Helper } from './helper.ts';
import {
  kernelSkip,
  loadTiny,
  makeCgroup,
  makeNetns,
  makePinRoot,
  type Tiny,
  tracefsSkip,
  useHelper,
} from './testing/servers.ts';

type Hook = NonNullable<AttachRequest['hook']>;

async function attachAndInspect(helper: Helper, program: number, hook: Hook) {
  const { link, linkId } = await helper.request('attach', { program, hook });
  assert.ok(linkId > 0);
  return { link, inspect: () => inspectLink(helper, link) };
}

async function inspectLink(helper: Helper, handle: number) {
  const { info } = await helper.request('inspect', { handle });
  if (info?.$case !== 'link') assert.fail('not a link');
  return info.value;
}

const readSeen = async (helper: Helper, tiny: Tiny) => {
  const variables = [{ map: tiny.map('tiny.bss'), offset: 0, value: 0 }];
  return (await helper.request('readVariables', { variables })).values[0] ?? 0;
};

async function start(t: TestContext, ...programs: string[]) {
  const helper = await useHelper(t);
  return { helper, tiny: await loadTiny(helper, ...programs) };
}

describe('attach', { skip: kernelSkip }, () => {
  for (const mode of [0, 1, 2] as const) {
    it(`xdp, mode ${mode}: in force at once, gone at detach`, async (t) => {
      const { helper, tiny } = await start(t, 'pass');
      const netns = makeNetns(t);
      const { link, inspect } = await attachAndInspect(helper, tiny.program('pass'), {
        $case: 'xdp',
        value: { device: netns.device, netns: netns.path, mode },
      });
      const shown = () => netns.ip('-d', 'link', 'show', 'dev', netns.device);
      assert.match(shown(), mode === 2 ? /xdpgeneric/ : /prog\/xdp/);
      assert.match(shown(), new RegExp(`prog/xdp id ${tiny.programId('pass')}`));
      assert.equal((await inspect()).attached, true);
      assert.equal((await inspect()).programId, tiny.programId('pass'));
      await helper.request('detach', { link });
      assert.equal((await inspect()).attached, false);
      assert.doesNotMatch(shown(), /prog\/xdp/);
    });
  }

  it('a pinned link outlives the helper and shows when its device is gone', async (t) => {
    const pinRoot = makePinRoot(t);
    const netns = makeNetns(t);
    const first = await useHelper(t, { pinRoot });
    const tiny = await loadTiny(first, 'pass');
    const { link } = await first.request('attach', {
      program: tiny.program('pass'),
      hook: { $case: 'xdp', value: { device: netns.device, netns: netns.path, mode: 0 } },
    });
    await first.request('pin', { handle: link, path: 'link' });
    await first.close();
    assert.match(netns.ip('link', 'show', 'dev', netns.device), /prog\/xdp/);
    const second = await useHelper(t, { pinRoot });
    const { handle, info } = await second.request('adopt', { path: 'link' });
    assert.equal(info?.$case === 'link' && info.value.attached, true);
    netns.ip('link', 'del', netns.device);
    assert.equal((await inspectLink(second, handle)).attached, false);
  });

  it('an unpinned link ends with the helper', async (t) => {
    const { helper, tiny } = await start(t, 'pass');
    const netns = makeNetns(t);
    await helper.request('attach', {
      program: tiny.program('pass'),
      hook: { $case: 'xdp', value: { device: netns.device, netns: netns.path, mode: 0 } },
    });
    await helper.close();
    assert.doesNotMatch(netns.ip('link', 'show', 'dev', netns.device), /prog\/xdp/);
  });

  it('a second xdp program on a device is refused', async (t) => {
    const { helper, tiny } = await start(t, 'pass');
    const netns = makeNetns(t);
    const request: AttachRequest = {
      program: tiny.program('pass'),
      hook: { $case: 'xdp', value: { device: netns.device, netns: netns.path, mode: 0 } },
    };
    await helper.request('attach', request);
    await assert.rejects(helper.request('attach', request), {
      code: 'SKEIN_KERNEL_REFUSED',
      message: /^attach to xdp left: .*EBUSY/,
    });
  });

  for (const direction of [1, 2] as const) {
    it(`tcx, direction ${direction}`, async (t) => {
      const { helper, tiny } = await start(t, 'tc_next');
      const netns = makeNetns(t);
      const { link, inspect } = await attachAndInspect(helper, tiny.program('tc_next'), {
        $case: 'tc',
        value: { device: netns.device, netns: netns.path, direction },
      });
      assert.equal((await inspect()).attached, true);
      await helper.request('detach', { link });
      assert.equal((await inspect()).attached, false);
    });
  }

  it('cgroup_skb, directly and through a dispatcher', async (t) => {
    const cgroup = makeCgroup(t);
    if (cgroup === undefined) return t.skip('no cgroup v2 mounted');
    const { helper, tiny } = await start(t, 'cgroup_egress');
    const made = await helper.request('makeDispatcher', { program: tiny.program('cgroup_egress') });
    const hook: Hook = { $case: 'cgroup', value: { path: cgroup } };
    const direct = await attachAndInspect(helper, tiny.program('cgroup_egress'), hook);
    await helper.request('detach', { link: direct.link });
    assert.equal((await direct.inspect()).attached, false);
    const { link, inspect } = await attachAndInspect(helper, made.dispatcher, hook);
    assert.equal((await inspect()).attached, true);
    await helper.request('close', { handle: link });
  });

  const tracing: readonly (readonly [string, Hook, string | false])[] = [
    ['raw_tp', { $case: 'rawTracepoint', value: { name: 'sys_enter' } }, false],
    ['tp_btf', { $case: 'btfTracepoint', value: {} }, false],
    [
      'tracepoint',
      { $case: 'tracepoint', value: { category: 'sched', name: 'sched_switch' } },
      tracefsSkip,
    ],
  ];
  for (const [name, hook, skip] of tracing) {
    it(`${name}: events reach the program behind the dispatcher`, { skip }, async (t) => {
      const { helper, tiny } = await start(t, name);
      const { dispatcher } = await helper.request('makeDispatcher', {
        program: tiny.program(name),
      });
      const { link, inspect } = await attachAndInspect(helper, dispatcher, hook);
      assert.equal((await inspect()).attached, true);
      const before = await readSeen(helper, tiny);
      // The requests themselves are system calls and switches.
      const deadline = Date.now() + 5_000;
      while ((await readSeen(helper, tiny)) === before && Date.now() < deadline);
      assert.notEqual(await readSeen(helper, tiny), before);
      await assert.rejects(helper.request('detach', { link }), { message: /EOPNOTSUPP/ });
      await helper.request('close', { handle: link });
      const after = await readSeen(helper, tiny);
      await helper.request('listPins', { path: '' });
      assert.equal(await readSeen(helper, tiny), after);
    });
  }

  it('names what is not there', { skip: tracefsSkip }, async (t) => {
    const { helper, tiny } = await start(t, 'pass', 'raw_tp', 'tracepoint', 'cgroup_egress');
    const netns = makeNetns(t);
    const xdp = (device: string, path: string): Hook => ({
      $case: 'xdp',
      value: { device, netns: path, mode: 0 },
    });
    const missing: readonly (readonly [string, Hook, RegExp])[] = [
      ['pass', xdp('nosuch', netns.path), /^device nosuch: not in \/run\/netns\//],
      ['pass', xdp('nosuch', ''), /^device nosuch: not in the agent's network namespace/],
      ['pass', xdp('lo', '/run/netns/nosuch'), /^network namespace \/run\/netns\/nosuch: does not/],
      ['pass', xdp('lo', '/proc/self/status'), /: not a network namespace/],
      [
        'raw_tp',
        { $case: 'rawTracepoint', value: { name: 'nosuch' } },
        /^raw tracepoint nosuch: does not exist/,
      ],
      [
        'tracepoint',
        { $case: 'tracepoint', value: { category: 'sched', name: 'nosuch' } },
        /^tracepoint sched\/nosuch: does not exist/,
      ],
      [
        'cgroup_egress',
        { $case: 'cgroup', value: { path: '/sys/fs/cgroup/nosuch' } },
        /^cgroup \/sys\/fs\/cgroup\/nosuch: does not exist/,
      ],
      [
        'cgroup_egress',
        { $case: 'cgroup', value: { path: '/proc' } },
        /^cgroup \/proc: not a cgroup v2 directory/,
      ],
    ];
    for (const [name, hook, message] of missing) {
      const request = { program: tiny.program(name), hook };
      await assert.rejects(helper.request('attach', request), { code: 'SKEIN_NO_DEVICE', message });
    }
    // And it is back home after each: its own namespace does not have the device.
    const own = { program: tiny.program('pass'), hook: xdp(netns.device, '') };
    await assert.rejects(helper.request('attach', own), { code: 'SKEIN_NO_DEVICE' });
  });
});

import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { KernelEngine } from '#agent/engine/kernel/kernel-engine.ts';
import { systemClock } from '#common/clock.ts';
import { createLabHost } from '#lab/netns.ts';
import { labPinRoot } from '#lab/sweep.ts';
import { countsSince, startTraffic } from '#lab/traffic.ts';

const OBJECT = fileURLToPath(new URL('../examples/build/guard.bpf.o', import.meta.url));
const HELPER = fileURLToPath(new URL('../agent/native/build/skein-helper', import.meta.url));
const FLIPS = 1_000;

test('a thousand flips under traffic: no packet is lost that no key drops', async () => {
  await using undo = new AsyncDisposableStack();
  const host = createLabHost('flips');
  undo.defer(() => host.remove());
  undo.defer(() => rmSync(labPinRoot(), { recursive: true, force: true }));
  const engine = new KernelEngine({
    helper: { path: HELPER, pinRoot: labPinRoot() },
    limits: { count: 16, bytes: 1024 * 1024 },
    clock: systemClock,
    onSpecialised: () => {},
    onHelperExit: () => {},
  });
  undo.defer(() => engine.close());
  await engine.load({
    name: 'guard',
    object: readFileSync(OBJECT),
    objectPath: OBJECT,
    attachments: [
      { program: 'guard_xdp', hook: { kind: 'xdp', device: host.device, netns: host.netns } },
    ],
  });
  undo.defer(() => engine.unload('guard'));
  await engine.attach('guard');
  const traffic = startTraffic(host, 2_000);
  undo.defer(() => traffic.stop());

  const before = await traffic.counts();
  const tiers = new Set<string>();
  for (let flip = 1; flip <= FLIPS; flip++) {
    const report = await engine.flip('guard', new Map([['drop_icmp', flip % 2 === 1]]));
    tiers.add(report.tier);
  }
  const during = countsSince(before, await traffic.counts());
  assert.ok(during.udpSent > 100, `${during.udpSent} packets`);
  assert.equal(during.udpReceived, during.udpSent);
  assert.ok(during.icmpReceived > 0 && during.icmpReceived < during.icmpSent);
  assert.ok(tiers.has('specialised'), 'slots were swapped');
  const last = await engine.observe('guard');
  assert.equal(last.keys.get('drop_icmp'), false);
});

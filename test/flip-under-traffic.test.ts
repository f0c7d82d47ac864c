import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { KernelEngine } from '#agent/engine/kernel/kernel-engine.ts';
import { startHelper } from '#agent/helper/helper-process.ts';
import { systemClock } from '#common/clock.ts';
import type { Tier } from '#common/observed.ts';
import { createLabHost } from '#lab/netns.ts';
import { labPinRoot } from '#lab/sweep.ts';
import { countsSince, startTraffic, type Traffic, type TrafficCounts } from '#lab/traffic.ts';
import { until } from './support/until.ts';

const TESTDATA = fileURLToPath(new URL('../agent/src/engine/kernel/testdata', import.meta.url));
const OBJECT = `${TESTDATA}/build/verdicts.bpf.o`;
const HELPER = fileURLToPath(new URL('../agent/native/build/skein-helper', import.meta.url));
const UNIT = 'verdicts';
const FLIPS = 10_000;
/** Now and then the traffic is counted while one state lasts; an odd number, so that either is looked at. */
const FLIPS_BETWEEN_COUNTS = 501;

execFileSync('make', ['-s', '-C', TESTDATA]);

/** One entry for each protocol: see verdicts.bpf.c. */
const COUNTS = [
  ['icmp', 0],
  ['udp', 1],
] as const;

test('ten thousand flips under traffic: every packet meets the program, none a wrong verdict', async (t) => {
  await using undo = new AsyncDisposableStack();
  const host = createLabHost('flips');
  undo.defer(() => host.remove());
  undo.defer(() => rmSync(labPinRoot(), { recursive: true, force: true }));
  // For one of the two states that are flipped between: at least every other flip is to the dynamic tier.
  const limits = { count: 1, bytes: 1024 * 1024 };
  const engine = new KernelEngine({
    startHelper: () => startHelper({ path: HELPER, pinRoot: labPinRoot() }),
    limits,
    clock: systemClock,
    onSpecialised: () => {},
    onHelperExit: () => {},
  });
  undo.defer(() => engine.close());
  await engine.load({
    name: UNIT,
    object: readFileSync(OBJECT),
    objectPath: OBJECT,
    attachments: [
      { program: 'verdict_xdp', hook: { kind: 'xdp', device: host.device, netns: host.netns } },
    ],
  });
  undo.defer(() => engine.unload(UNIT));
  await engine.attach(UNIT);
  const traffic = startTraffic(host, 2_000);
  undo.defer(async () => {
    await traffic.stop();
  });

  const tiers: Record<Tier, number> = { dynamic: 0, specialised: 0, patched: 0 };
  for (let flip = 1; flip <= FLIPS; flip++) {
    // From half-time on there is room for every vector, and flips are between specialised variants.
    if (flip > FLIPS / 2) limits.count = 4;
    const dropIcmp = flip % 2 === 1;
    const both = new Map([
      ['drop_icmp', dropIcmp],
      ['drop_udp', !dropIcmp],
    ]);
    const { tier, keys } = await engine.flip(UNIT, both);
    assert.deepEqual(keys, both);
    tiers[tier]++;
    if (flip % FLIPS_BETWEEN_COUNTS === 0) await assertAllDropped(traffic, dropIcmp);
  }
  const sent = await traffic.stop();
  assert.ok(sent);
  const seen = await readVerdicts(engine);
  t.diagnostic(`${sent.icmpSent + sent.udpSent} packets; flips by tier: ${JSON.stringify(tiers)}`);
  assert.ok(Math.min(tiers.dynamic, tiers.specialised) > FLIPS / 5, 'both tiers were in force');
  assert.deepEqual(seen, {
    icmp: counted(sent.icmpSent, sent.icmpReceived),
    udp: counted(sent.udpSent, sent.udpReceived),
  });
  for (const { passed, dropped } of Object.values(seen)) assert.ok(passed > 100 && dropped > 100);
});

/** What a flip reported is what each packet sent from then on meets. */
async function assertAllDropped(traffic: Traffic, icmp: boolean): Promise<void> {
  const before = await traffic.counts();
  let during = before;
  await until('more traffic', async () => {
    during = countsSince(before, await traffic.counts());
    return during.icmpSent > 10 && during.udpSent > 10;
  });
  const expected: TrafficCounts = {
    ...during,
    icmpReceived: icmp ? 0 : during.icmpSent,
    udpReceived: icmp ? during.udpSent : 0,
  };
  assert.deepEqual(during, expected);
}

/** What the program must have counted: all that was sent, and of it passed what has arrived. */
const counted = (sent: number, received: number) => ({
  passed: received,
  dropped: sent - received,
  torn: 0,
});

async function readVerdicts(engine: KernelEngine) {
  const of = async (index: number) => {
    const places = [0, 8, 16].map((offset) => ({ index, offset, size: 8 as const }));
    const [passed, dropped, torn] = await engine.readCounters(UNIT, 'verdicts', places);
    return { passed: Number(passed), dropped: Number(dropped), torn: Number(torn) };
  };
  const entries = await Promise.all(
    COUNTS.map(async ([protocol, index]) => [protocol, await of(index)] as const),
  );
  return Object.fromEntries(entries);
}

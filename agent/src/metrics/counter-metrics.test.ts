import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { Registry } from 'prom-client';
import { SkeinError } from '#common/errors.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import type { UnitCounter } from '../counters/unit-counter.ts';
import type { CounterPlace } from '../engine/engine.ts';
import { FakeEngine } from '../engine/fake/fake-engine.ts';
import { FakeWorld } from '../engine/fake/fake-world.ts';
import { testUnit } from '../testing/fixtures.ts';
import { CounterMetrics, type ReadFailure } from './counter-metrics.ts';

const place = (index: number, offset: number): CounterPlace => ({ index, offset, size: 8 });
const dropped = (field: string, offset: number): UnitCounter => ({
  metric: `dropped_${field}_total`,
  help: 'What was dropped.',
  label: 'reason',
  map: 'drops',
  samples: [
    { value: 'udp', place: place(1, offset) },
    { value: 'icmp', place: place(0, offset) },
  ],
});
const runs: UnitCounter = {
  metric: 'runs_total',
  help: 'Runs.',
  label: undefined,
  map: '.bss',
  samples: [{ value: undefined, place: place(0, 16) }],
};

/** Two units, guard with all counters and other with one of them; each attached. */
async function setUp(isUp: (unit: string) => boolean = () => true) {
  const world = new FakeWorld();
  const engine = new FakeEngine(world);
  const units = [
    { ...testUnit('guard'), counters: [dropped('packets', 0), dropped('bytes', 8), runs] },
    { ...testUnit('other'), counters: [runs] },
  ];
  for (const { spec } of units) {
    await engine.load(spec);
    await engine.attach(spec.name);
  }
  const clock = new ManualClock();
  const registry = new Registry();
  const failures: ReadFailure[] = [];
  const requests: string[] = [];
  let stuck: Promise<void> | undefined;
  new CounterMetrics(registry, units, {
    clock,
    isUp,
    onFailure: (failure) => failures.push(failure),
    engine: {
      async readCounters(unit, map, places) {
        requests.push(`${unit} ${map} ${places.map(({ index }) => index).join()}`);
        await stuck;
        return engine.readCounters(unit, map, places);
      },
    },
  });
  return {
    world,
    clock,
    registry,
    failures,
    requests,
    /** Samples alone, sorted. */
    scrape: async () => {
      const lines = (await registry.metrics()).split('\n');
      return lines.filter((line) => line !== '' && !line.startsWith('#')).sort();
    },
    block: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      stuck = promise;
      return () => {
        stuck = undefined;
        resolve();
      };
    },
  };
}

const ZERO = [
  'dropped_bytes_total{unit="guard",reason="icmp"} 0',
  'dropped_bytes_total{unit="guard",reason="udp"} 0',
  'dropped_packets_total{unit="guard",reason="icmp"} 0',
  'dropped_packets_total{unit="guard",reason="udp"} 0',
  'runs_total{unit="guard"} 0',
  'runs_total{unit="other"} 0',
];

describe('counters of programs', () => {
  it('are there from the start, and move', async () => {
    const { world, clock, scrape, registry } = await setUp();
    assert.deepEqual(await scrape(), ZERO);
    world.count('guard', 'drops', place(1, 8), 1_500n);
    world.count('other', '.bss', place(0, 16), 1n << 40n);
    clock.advance(1_000);
    assert.deepEqual(
      (await scrape()).filter((line) => !line.endsWith(' 0')),
      [
        'dropped_bytes_total{unit="guard",reason="udp"} 1500',
        `runs_total{unit="other"} ${2 ** 40}`,
      ],
    );
    const { stdout, stderr, status } = spawnSync('promtool', ['check', 'metrics'], {
      input: await registry.metrics(),
    });
    assert.equal(`${stdout}${stderr}`, '');
    assert.equal(status, 0);
  });

  it('take one request for each map, in the order of its entries, for all scrapes of a second', async () => {
    const { world, clock, scrape, requests } = await setUp();
    await Promise.all([scrape(), scrape()]);
    world.count('guard', 'drops', place(0, 0));
    clock.advance(999);
    assert.deepEqual(await scrape(), ZERO);
    assert.deepEqual(requests, ['guard drops 0,0,1,1', 'guard .bss 0', 'other .bss 0']);
    clock.advance(1);
    assert.notDeepEqual(await scrape(), ZERO);
    assert.equal(requests.length, 6);
  });

  it('are left out while they cannot be read, and only they', async () => {
    const { world, clock, scrape, failures } = await setUp();
    await scrape();
    const error = new SkeinError('SKEIN_HELPER_DIED', 'gone');
    world.fail('readCounters', 'other', error, 2);
    for (const isNews of [true, false]) {
      clock.advance(1_000);
      assert.deepEqual(await scrape(), ZERO.slice(0, -1));
      assert.deepEqual(failures.pop(), { unit: 'other', map: '.bss', error, isNews });
    }
    clock.advance(1_000);
    assert.deepEqual(await scrape(), ZERO);
    assert.deepEqual(failures, []);
  });

  it('are not asked for of a unit that is not up', async () => {
    const { scrape, failures, requests } = await setUp((unit) => unit === 'other');
    assert.deepEqual(await scrape(), ['runs_total{unit="other"} 0']);
    assert.deepEqual([requests, failures], [['other .bss 0'], []]);
  });

  it('hold up no scrape for more than two seconds, and are not asked for twice at once', async () => {
    const { clock, scrape, block, requests } = await setUp();
    const release = block();
    for (let round = 0; round < 2; round++) {
      const scraped = scrape();
      clock.advance(2_000);
      assert.deepEqual(await scraped, []);
    }
    assert.deepEqual(requests, ['guard drops 0,0,1,1']);
    const scraped = scrape();
    release();
    assert.deepEqual(await scraped, ZERO);
    assert.equal(clock.pending, 0);
  });
});

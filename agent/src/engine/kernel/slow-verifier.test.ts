import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../../../test/support/until.ts';
import { KernelWorld } from './kernel-fixture.ts';

test('flips go on in force while the verifier is at work on a variant for one of them', async (t) => {
  await using world = new KernelWorld();
  // Room for one variant, so that no flip meets a prepared one.
  world.limits.count = 1;
  const spec = world.spec('slow.bpf.o');
  const [xdp] = spec.attachments;
  assert.ok(xdp);
  const unit = { ...spec, attachments: [{ ...xdp, program: 'slow_xdp' }] };
  const engine = await world.createEngine();
  const [loaded] = (await engine.load(unit)).programs;
  const verifierMs = (loaded?.statistics.verificationTimeUs ?? 0) / 1_000;
  assert.ok(verifierMs > 50, `the verifier takes its time: ${verifierMs} ms`);
  await engine.attach(unit.name);

  // Until the first variant is there. It is for what attach() found, which no flip asks for.
  const durations: number[] = [];
  for (let flip = 0; world.specialised.length === 0; flip++) {
    const start = performance.now();
    const wanted = new Map([
      ['first', flip % 2 === 0],
      ['second', true],
    ]);
    const report = await engine.flip(unit.name, wanted);
    durations.push(performance.now() - start);
    assert.deepEqual(report.keys, wanted);
    assert.equal(report.tier, 'dynamic');
  }
  t.diagnostic(
    `${durations.length} flips, the slowest ${Math.max(...durations).toFixed(1)} ms, in ${verifierMs} ms of verifier`,
  );
  assert.ok(durations.length > 3, `${durations.length} flips during one verification`);
  await until('what holds in the end is specialised', async () => {
    const status = await engine.observe(unit.name);
    return status.programs.every(({ tier }) => tier === 'specialised');
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { observationDigest } from '#common/observed.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { observation, report } from '../testing/fake-host.ts';
import { Fleet } from './fleet.ts';

function setup() {
  const clock = new ManualClock();
  const asked: string[] = [];
  const saved: string[] = [];
  const acked: [bigint, string, boolean, string][] = [];
  const changes: string[] = [];
  const fleet = new Fleet(clock, {
    requestStatus: (host) => asked.push(host),
    saveReport: ({ host }) => saved.push(host),
    acked: ({ generation, outcome }, first, host) => acked.push([generation, outcome, first, host]),
  });
  fleet.onChange(({ report: { host } }) => changes.push(host));
  const said = report('h', {}, ['k']);
  const beat = (host = 'h', digest = observationDigest(said.keys)) =>
    fleet.apply({
      kind: 'heartbeat',
      host,
      digest,
      incarnation: said.incarnation,
      intervalMs: 1_000,
    });
  return { clock, fleet, asked, saved, acked, changes, said, beat };
}

test('a host is asked for its status at most every two seconds', () => {
  const { clock, asked, beat } = setup();
  beat();
  beat();
  beat('other');
  assert.deepEqual(asked, ['h', 'other']);
  clock.advance(1_999);
  beat();
  assert.equal(asked.length, 2);
  clock.advance(1);
  beat();
  assert.deepEqual(asked, ['h', 'other', 'h']);
});

test('silence and return are changes; a heartbeat that says nothing new is none', () => {
  const { clock, fleet, changes, saved, said, beat } = setup();
  fleet.apply({ kind: 'status', report: said });
  beat();
  assert.deepEqual([changes, saved], [['h'], ['h']]);
  clock.advance(3_000);
  assert.equal(changes.length, 1, 'three intervals are not over');
  clock.advance(1_000);
  assert.equal(changes.length, 2, 'lost');
  clock.advance(10_000);
  assert.equal(changes.length, 2);
  beat();
  assert.equal(changes.length, 3, 'back');
  assert.equal(saved.length, 1, 'only what changed is stored');
});

test('acks count once per outcome; propagation only of hosts that were live to hear it', () => {
  const { clock, fleet, acked, said } = setup();
  const ack = (generation: bigint, outcome: 'applied' | 'failed') =>
    fleet.apply({ kind: 'ack', host: 'h', observation: observation('k', { generation, outcome }) });
  ack(1n, 'applied');
  fleet.apply({ kind: 'status', report: said });
  ack(2n, 'failed');
  ack(2n, 'failed');
  ack(2n, 'applied');
  clock.advance(60_000);
  ack(3n, 'applied');
  assert.deepEqual(acked, [
    [2n, 'failed', true, 'h'],
    [2n, 'applied', false, 'h'],
    [3n, 'applied', false, 'h'],
  ]);
});

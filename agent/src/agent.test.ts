import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { sealDesired } from '#common/envelope.ts';
import { SkeinError } from '#common/errors.ts';
import { generateSeed, signerFromSeed } from '#common/nkey.ts';
import { observationDigest } from '#common/observed.ts';
import { DESIRED_PREFIX, statusRequestSubject } from '#proto/subjects.ts';
import { type NatsServer, startNatsServer } from '../../test/support/nats-server.ts';
import { until } from '../../test/support/until.ts';
import { ControlPlane } from './testing/control-plane.ts';
import { controller, desiredState, target, testUnit } from './testing/fixtures.ts';
import { sample, type TestAgent, TestHost } from './testing/test-agent.ts';

const on = (generation: number) => desiredState('net.alpha', { generation, value: true });
const off = (generation: number) => desiredState('net.alpha', { generation, value: false });

describe('agent and NATS', () => {
  let server: NatsServer;
  let plane: ControlPlane;
  let host: TestHost;
  before(async () => {
    server = await startNatsServer();
  });
  after(() => server.stop());
  beforeEach(async () => {
    plane = await ControlPlane.connect(server.url);
    host = new TestHost();
  });
  afterEach(async () => {
    await host[Symbol.asyncDispose]();
    await plane.kv.destroy();
    await plane.close();
  });

  /** There is a new one in its place, without anything in it. */
  const loseBucket = async (republished?: string) => {
    await plane.kv.destroy();
    await plane.close();
    plane = await ControlPlane.connect(server.url, republished);
  };
  const ready = (started: TestAgent) =>
    until(`ready: ${started.agent.notReady().join('; ')}`, () => started.agent.ready);
  const rejected = (started: TestAgent, reason: string, count = 1) =>
    until(
      `${count} rejected as ${reason}`,
      async () =>
        (await sample(started.registry, 'skein_agent_rejected_messages_total', { reason })) ===
        count,
    );

  it('serves the counters of its programs, and goes on without those that it cannot read', async () => {
    const place = { index: 0, offset: 0, size: 8 } as const;
    const family = { metric: 'a_total', help: 'A.', label: undefined };
    const counters = [{ ...family, map: 'm', samples: [{ value: undefined, place }] }];
    const started = await host.start(server.url, [{ ...testUnit(), counters }]);
    await ready(started);
    host.world.count('guard', 'm', place, 3n);
    const scrape = async () => (await fetch(`${started.agent.url}/metrics`)).text();
    assert.match(await scrape(), /^a_total\{unit="guard"\} 3$/m);

    host.world.fail('readCounters', 'guard', new SkeinError('SKEIN_HELPER_DIED', 'gone'));
    const text = await until('a new reading', async () => {
      const { registry } = started;
      const text = await scrape();
      return (await sample(registry, 'skein_agent_map_read_errors_total')) === 1 && text;
    });
    assert.doesNotMatch(text, /^a_total\{/m);
    assert.match(text, /^skein_agent_ready 1$/m);
    const warning = { unit: 'guard', map: 'm', code: 'SKEIN_HELPER_DIED' };
    assert.partialDeepStrictEqual(
      started.lines.findLast(({ map }) => map === 'm'),
      warning,
    );
  });

  it('takes what was set before it started, then flips at a message and acks what it read back', async () => {
    await plane.put(desiredState('net.beta', { generation: 4, value: false }));
    const started = await host.start(server.url);
    await ready(started);
    assert.equal(host.value('beta'), false);

    await plane.put(on(5));
    const ack = await until('ack', () => plane.acks.find(({ generation }) => generation === 5n));
    assert.deepEqual([ack.key, ack.value, ack.outcome], ['net.alpha', true, 'applied']);
    assert.equal(host.value('alpha'), true);
    assert.equal(ack.publishedAt?.getTime(), on(5).change.time.getTime());
    const { registry } = started;
    assert.equal(await sample(registry, 'skein_agent_applied_generation', { key: 'net.alpha' }), 5);
    const key = { unit: 'guard', static_key: 'alpha' };
    assert.equal(await sample(registry, 'skein_agent_static_key_state', key), 1);
    const flips = { result: 'applied', reason: 'desired' };
    assert.equal(await sample(registry, 'skein_agent_flips_total', flips), 2);
    const readyz = await fetch(`${started.agent.url}/readyz`);
    assert.equal(readyz.status, 200);
  });

  it('reports itself at the start, when asked, and by a heartbeat whose digest is that of its keys', async () => {
    await host.start(server.url);
    const first = await until('status', () => plane.reports[0]);
    assert.deepEqual(
      [first.host, first.labels, first.agentVersion, first.engine],
      [target.host, target.labels, '1.2.3', 'fake'],
    );
    assert.equal(first.programs[0]?.attachPoint, 'xdp fake');
    const seen = plane.reports.length;
    plane.connection.publish(statusRequestSubject(target.host));
    const asked = await until('status on request', () => plane.reports[seen]);
    const beats = plane.heartbeats.length;
    const beat = await until('heartbeat', () => plane.heartbeats[beats + 1]);
    assert.deepEqual(Buffer.from(beat.digest), Buffer.from(observationDigest(asked.keys)));
    assert.equal(beat.incarnation, first.incarnation);
    assert.equal(beat.intervalMs, 200);
  });

  it('refuses what it cannot verify, and what it has seen', async () => {
    const started = await host.start(server.url);
    await plane.put(on(5));
    await until('on', () => host.value('alpha') === true);
    const mallory = signerFromSeed(generateSeed());
    const valid = sealDesired(off(9), controller);

    plane.forge('net.alpha', Buffer.from('not an envelope'));
    plane.forge('net.alpha', new Uint8Array());
    plane.forge('net.alpha', valid.subarray(0, valid.length / 2));
    plane.forge('net.alpha', sealDesired(off(9), mallory));
    await rejected(started, 'bad_signature', 4);
    plane.forge('net.alpha', sealDesired(off(4), controller));
    await rejected(started, 'stale');
    plane.forge('net.alpha', sealDesired(desiredState('net.beta', { generation: 9 }), controller));
    await rejected(started, 'wrong_subject');
    await plane.kv.delete('net.alpha');
    await plane.kv.purge('net.alpha');
    await rejected(started, 'unsigned_delete', 2);
    plane.forge('net.unbound', Buffer.from('nobody looks at it'));
    plane.forge('net.alpha', sealDesired(off(5), controller));
    await plane.connection.flush();
    await started.agent.reconcile();

    assert.equal(host.value('alpha'), true);
    assert.equal(host.value('beta'), true);
    assert.equal(started.agent.ready, true);
    const warnings = started.lines.filter((line) => line.rejection === 'bad_signature');
    assert.equal(warnings.length, 1, 'a flood of bad messages is one line');

    await plane.put(off(10));
    await until('off', () => host.value('alpha') === false);
  });

  it('a tombstone gives the declared value back', async () => {
    await host.start(server.url);
    await plane.put(desiredState('net.beta', { generation: 1, value: false }));
    await until('off', () => host.value('beta') === false);
    await plane.put(desiredState('net.beta', { generation: 2, deleted: true }));
    await until('on, as declared', () => host.value('beta') === true);
  });

  it('NATS down at the start: one warning, last-known-good, and a flip once it is there', async () => {
    const first = await host.start(server.url);
    await plane.put(on(5));
    await until('ack', () => plane.acks.some(({ generation }) => generation === 5n));
    await host.stop(first, true);
    assert.equal(host.value('alpha'), undefined);

    await server.kill();
    const second = await host.start(server.url);
    assert.equal(host.value('alpha'), true, 'loaded anew, on last-known-good');
    await until('warning', () => second.lines.some((line) => line.level === 40));
    await server.restart();
    await until('reached', () =>
      plane.reports.some((r) => r.incarnation === second.agent.report().incarnation),
    );
    await plane.put(off(6));
    await until('off', () => host.value('alpha') === false);
    const warnings = second.lines.filter((line) => line.level === 40);
    assert.equal(warnings.length, 1, JSON.stringify(warnings));
    assert.match(String(warnings[0]?.msg), /^SKEIN_NATS_UNAVAILABLE: /);
  });

  it('NATS killed and restarted: no branch changes, then a flip gets through', async () => {
    const started = await host.start(server.url);
    await plane.put(on(5));
    await until('on', () => host.value('alpha') === true);
    await ready(started);
    const flips = host.world.history.length;

    await server.kill();
    await until(
      'noticed',
      async () => (await sample(started.registry, 'skein_agent_nats_connected')) === 0,
    );
    await started.agent.reconcile();
    assert.equal(host.value('alpha'), true);
    assert.equal(started.agent.ready, true);
    await server.restart();
    // Written as soon as may be: perhaps before the agent is back, which must then find it by itself.
    await until('written', () =>
      plane.put(off(6)).then(
        () => true,
        () => false,
      ),
    );
    await until('off', () => host.value('alpha') === false);
    assert.equal(host.world.history.length, flips + 1);
  });

  it('a message that was lost is found by the gap that the next one shows', async () => {
    await loseBucket('net.beta');
    const started = await host.start(server.url);
    await ready(started);
    await plane.put(desiredState('net.beta', { generation: 1, value: false }));
    await until('beta is off', () => host.value('beta') === false);
    await plane.put(on(2));
    await plane.put(desiredState('net.beta', { generation: 3, value: true }));
    await until('alpha is on', () => host.value('alpha') === true);
  });

  it('a message that was lost is found by the next reconcile', async () => {
    await loseBucket('net.beta');
    const started = await host.start(server.url);
    await ready(started);
    await plane.put(on(1));
    await started.agent.reconcile();
    assert.equal(host.value('alpha'), true);
  });

  it('is not fooled by forged sequence numbers', async () => {
    const started = await host.start(server.url);
    await ready(started);
    const { headers } = await import('nats');
    for (const sequence of ['999999999', 'x', '-1', '99999999999999999999']) {
      const forged = headers();
      forged.set('Nats-Sequence', sequence);
      forged.set('Nats-Last-Sequence', '7');
      plane.connection.publish(`${DESIRED_PREFIX}.net.alpha`, sealDesired(on(3), controller), {
        headers: forged,
      });
    }
    await until('on', () => host.value('alpha') === true);
    await plane.put(off(4));
    await until('off', () => host.value('alpha') === false);
  });

  it('without a bucket it runs what it has, and takes part once a controller made one', async () => {
    await plane.kv.destroy();
    await plane.close();
    const started = await host.start(server.url);
    const warnings = () =>
      started.lines.filter(({ level, msg }) => level === 40 && /nobody answers/.test(String(msg)));
    await until('warning', () => warnings().length > 0);
    await started.agent.reconcile();
    assert.equal(warnings().length, 1, 'and no other for the same reason');
    assert.equal(host.value('alpha'), false);
    assert.equal(started.agent.ready, false);
    plane = await ControlPlane.connect(server.url);
    await plane.put(on(1));
    await until('on', () => host.value('alpha') === true);
    await ready(started);
  });

  it('does not go back to an older generation over a restart, even where the bucket does', async () => {
    const first = await host.start(server.url);
    await plane.put(on(5));
    await until('ack', () => plane.acks.some(({ generation }) => generation === 5n));
    await host.stop(first);
    await plane.put(off(4));
    const second = await host.start(server.url);
    await ready(second);
    assert.equal(host.value('alpha'), true);
    assert.equal(second.agent.report().keys.find(({ key }) => key === 'net.alpha')?.generation, 5n);
  });

  it('a bucket that was lost and begins anew is told once per key, until it has caught up', async () => {
    const started = await host.start(server.url);
    await plane.put(on(5));
    await plane.put(desiredState('net.beta', { generation: 6 }));
    const known = () => started.agent.report().keys.map(({ generation }) => generation);
    await until('both known', () => known().join() === '5,6');
    const told = () => started.lines.filter((line) => line.rejection === 'stale');

    await loseBucket('nothing');
    await plane.put(off(1));
    await plane.put(desiredState('net.beta', { generation: 2 }));
    await started.agent.reconcile();
    await started.agent.reconcile();
    assert.deepEqual(new Set(told().map(({ key }) => key)), new Set(['net.alpha', 'net.beta']));
    assert.equal(told().length, 2);
    assert.match(
      String(told().find(({ key }) => key === 'net.alpha')?.msg),
      /^SKEIN_STALE_GENERATION: net\.alpha: the keys bucket holds generation 1, older than the 5 that this host has seen\. .*backup/,
    );
    await rejected(started, 'stale', 2);
    assert.equal(host.value('alpha'), true);

    await plane.put(off(7));
    await started.agent.reconcile();
    assert.equal(host.value('alpha'), false);
    await plane.put(on(3));
    await started.agent.reconcile();
    assert.equal(told().length, 3, 'once more after it had caught up');

    await plane.put(off(8));
    await started.agent.reconcile();
    await loseBucket('nothing');
    await plane.put(on(8));
    await started.agent.reconcile();
    assert.match(String(told()[3]?.msg), /holds another generation 8 than this host has seen/);
    assert.equal(host.value('alpha'), false);
  });

  it('a corrupt last-known-good is told, kept aside, and changes nothing that runs', async () => {
    const first = await host.start(server.url);
    await plane.put(on(5));
    await until('ack', () => plane.acks.some(({ generation }) => generation === 5n));
    await host.stop(first);
    const text = readFileSync(host.storePath, 'utf8');
    writeFileSync(host.storePath, text.replace(/"envelopes":\["./, '"envelopes":["X'));
    const second = await host.start(server.url);
    assert.equal(host.value('alpha'), true);
    const told = second.lines.filter((line) => String(line.msg).startsWith('SKEIN_STORE_CORRUPT'));
    assert.equal(told.length, 1);
    readFileSync(`${host.storePath}.corrupt`);
    await ready(second);
    assert.equal(host.value('alpha'), true);
  });

  it('stopping leaves programs running; stopping to detach leaves none', async () => {
    const first = await host.start(server.url);
    await host.stop(first);
    assert.equal(host.value('alpha'), false);
    const second = await host.start(server.url);
    assert.equal(host.world.history.filter((line) => line === 'load guard').length, 1);
    await host.stop(second, true);
    assert.equal(host.world.units.size, 0);
  });

  it('keeps what runs where no last-known-good is left and the bucket is empty: that proves nothing', async () => {
    const first = await host.start(server.url);
    await plane.put(on(5));
    await until('on', () => host.value('alpha') === true);
    await host.stop(first);
    rmSync(host.storePath);
    await loseBucket();
    const second = await host.start(server.url);
    await ready(second);
    assert.equal(host.value('alpha'), true);
    await plane.put(off(6));
    await until('off', () => host.value('alpha') === false);
  });

  it('a unit that fails is named by /readyz, its key by an ack, while others flip', async () => {
    const rejection = new SkeinError('SKEIN_VERIFIER_REJECTED', 'guard: R1 invalid mem access');
    host.world.fail('load', 'guard', rejection, 1_000);
    const units = [testUnit(), testUnit('other', { 'net.other': ['alpha'] })];
    const started = await host.start(server.url, units);
    await plane.put(desiredState('net.other', { value: true }));
    await until('the other flips', () => host.value('alpha', 'other') === true);
    const response = await fetch(`${started.agent.url}/readyz`);
    assert.equal(response.status, 503);
    assert.match(await response.text(), /^unit guard: SKEIN_VERIFIER_REJECTED: guard: R1 invalid/m);
    await plane.put(on(1));
    const ack = await until('ack', () =>
      plane.acks.find(({ generation, key }) => generation === 1n && key === 'net.alpha'),
    );
    assert.deepEqual([ack.outcome, ack.error?.code], ['failed', 'SKEIN_VERIFIER_REJECTED']);
  });
});

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { readAgentConfig } from '#agent/config.ts';
import { loadUnits } from '#agent/load-units.ts';
import { bpfUnavailable } from '#agent/object/testdata/bpftool.ts';
import { ControlPlane } from '#agent/testing/control-plane.ts';
import { controller, desiredState, target } from '#agent/testing/fixtures.ts';
import { GuardedHost } from '#lab/guarded-host.ts';
import { ManagedProcess } from '#lab/managed-process.ts';
import { labPinRoot, sweepLab } from '#lab/sweep.ts';
import { startNatsServer } from '../../test/support/nats-server.ts';
import { until } from '../../test/support/until.ts';
import { exampleObject } from '../example-object.ts';

const AGENT = fileURLToPath(new URL('../../agent/src/main.ts', import.meta.url));
const PACKETS = 20;

/** A directory for one test, and an agent's configuration in it. */
function configure(undo: AsyncDisposableStack, url: string, programs: unknown): string {
  const directory = mkdtempSync(join(tmpdir(), 'skein-guard-'));
  undo.defer(() => {
    rmSync(directory, { recursive: true });
    rmSync(labPinRoot(), { recursive: true, force: true });
  });
  const config = {
    host: target.host,
    nats: { servers: [url] },
    controller: { publicKeys: [controller.publicKey] },
    stateDir: join(directory, 'state'),
    bpffs: labPinRoot(),
    metrics: { listen: '127.0.0.1:0' },
    programs,
  };
  const file = join(directory, 'agent.yaml');
  writeFileSync(file, stringify(config));
  return file;
}

test("the README's configuration fits the object", async () => {
  await using undo = new AsyncDisposableStack();
  const readme = readFileSync(new URL('README.md', import.meta.url), 'utf8');
  const [, block = ''] = /```yaml\n(programs:.*?)```/s.exec(readme) ?? [];
  const [unit] = parse(block).programs;
  const programs = [{ ...unit, object: exampleObject('guard') }];
  const file = configure(undo, '127.0.0.1:4222', programs);
  const config = readAgentConfig(file, { host: 'local', helperPath: '/helper' });
  const [{ counters } = { counters: [] }] = loadUnits(config.programs);
  assert.deepEqual(
    counters.map(({ metric, samples }) => [metric, samples.length]),
    [
      ['guard_dropped_packets_total', 4],
      ['guard_received_packets_total', 3],
    ],
  );
  for (const { metric } of counters)
    assert.match(readme, new RegExp(`^${metric}{unit="guard",`, 'm'));
});

test('/metrics shows what a flip does to packets', { skip: bpfUnavailable() }, async () => {
  sweepLab();
  await using undo = new AsyncDisposableStack();
  const nats = await startNatsServer();
  undo.defer(() => nats.stop());
  const plane = await ControlPlane.connect(nats.url);
  undo.defer(() => plane.close());
  const host = new GuardedHost('counters', {});
  undo.defer(() => host.remove());
  const file = configure(undo, nats.url, host.agent.programs);
  const agent = await ManagedProcess.start({
    name: 'agent',
    command: [process.execPath, AGENT, '--config', file, '--detach-on-exit'],
    logFile: `${file}.log`,
    ready: (line) => (line.includes('"msg":"starting"') ? JSON.parse(line) : undefined),
  });
  undo.defer(() => agent.stop());

  const scrape = async () => (await fetch(`${agent.announced.metrics}/metrics`)).text();
  const dropped = (text: string, reason: string) =>
    counterIn(text, `guard_dropped_packets_total{unit="guard",reason="${reason}"}`);
  const received = (text: string, protocol: string) =>
    counterIn(text, `guard_received_packets_total{unit="guard",protocol="${protocol}"}`);

  const before = await until('both kinds of packets counted', async () => {
    const text = await scrape();
    return (received(text, 'icmp') ?? 0) > 0 && (received(text, 'udp') ?? 0) > 0 && text;
  });
  assert.doesNotMatch(before, /[{,]host=/);
  for (const reason of ['icmp', 'udp', 'fragment', 'source']) {
    assert.equal(dropped(before, reason), 0, reason);
  }

  await plane.put(desiredState('net.drop_icmp', { value: true }));
  await until('the flip read back', () => plane.acks.some(({ value }) => value));
  const sample = await host.sample(PACKETS);
  assert.equal(sample.icmpReceived, 0);
  const after = await until('the loss counted', async () => {
    const text = await scrape();
    return (dropped(text, 'icmp') ?? 0) >= sample.icmpSent && text;
  });
  assert.equal(dropped(after, 'udp'), 0);
  assert.ok((received(after, 'icmp') ?? 0) > (received(before, 'icmp') ?? 0));

  await plane.put(desiredState('net.drop_icmp', { generation: 2, value: false }));
  await until('the flip back', () => plane.acks.some(({ generation }) => generation === 2n));
  assert.ok((await host.sample(PACKETS)).icmpReceived >= PACKETS);
  const last = await until('a reading after that', async () => {
    const text = await scrape();
    return (received(text, 'icmp') ?? 0) > (received(after, 'icmp') ?? 0) && text;
  });
  assert.ok((dropped(last, 'icmp') ?? 0) >= (dropped(after, 'icmp') ?? 0), 'nothing is forgotten');
});

/** The value of a sample; undefined when it is not there. */
function counterIn(text: string, name: string): number | undefined {
  const line = text.split('\n').find((each) => each.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.slice(name.length + 1));
}

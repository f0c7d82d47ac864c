import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { EchoServer } from './echo-server.ts';
import { ForwardedHost } from './forwarded-host.ts';
import { Forwarder } from './forwarder.ts';
import { sampleTraffic } from './traffic-host.ts';

const skip = process.arch === 'x64' ? false : 'libskein is for x86-64';
const directory = mkdtempSync(join(tmpdir(), 'skein-lab-'));
after(() => rmSync(directory, { recursive: true }));

test('without an agent everything passes, and nothing is in flight', { skip }, async () => {
  const host = await ForwardedHost.start('web', { zone: 'a' }, directory);
  try {
    const traffic = await sampleTraffic(host, 20);
    assert.ok(traffic.udpSent >= 20);
    assert.equal(traffic.udpReceived, traffic.udpSent);
    assert.equal(traffic.icmpSent, 0);
  } finally {
    await host.remove();
  }
});

test('a forwarder that has ended has no counters', { skip }, async () => {
  const server = await EchoServer.start();
  const forwarder = await Forwarder.start({
    ...{ name: 'web', hook: 'front', to: server.port },
    socket: join(directory, 'none.sock'),
    logFile: join(directory, 'forward.log'),
  });
  const asked = forwarder.counters();
  assert.deepEqual(await asked, { received: 0, passed: 0, dropped: 0 });
  await forwarder.stop();
  server.close();
  await assert.rejects(forwarder.counters(), { message: /skein-forward ended by itself/ });
});

import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startNatsServer } from '../../test/support/nats-server.ts';
import { until } from '../../test/support/until.ts';
import { Harness, TOKEN } from './testing/harness.ts';
import { TestClient } from './testing/test-client.ts';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));

let harness: Harness;
before(async () => {
  harness = await Harness.start();
});
after(() => harness[Symbol.asyncDispose]());

test('starts, says where it serves, answers, and ends cleanly on SIGTERM', async () => {
  await using run = new Run(['--config', harness.configFile({ log: '{ level: info }' })]);
  const ready = await run.ready();
  assert.match(ready.grpc, /^127\.0\.0\.1:[1-9]\d*$/);
  const client = new TestClient(ready.grpc, TOKEN);
  await client.create('from.outside');
  const http = async (path: string) => (await fetch(`${ready.metrics}${path}`)).status;
  assert.deepEqual(
    [await http('/healthz'), await http('/readyz'), await http('/metrics'), await http('/x')],
    [200, 200, 200, 404],
  );
  client.close();
  run.child.kill('SIGTERM');
  assert.equal(await run.exitCode, 0, run.stderr);
});

test('a Unix socket, also over the file that a killed process left', async () => {
  const listen = { listen: '"unix:skein.sock"', log: '{ level: info }' };
  const socket = join(harness.directory, 'skein.sock');
  {
    await using run = new Run(['--config', harness.configFile(listen)]);
    assert.equal((await run.ready()).grpc, `unix:${socket}`);
    run.child.kill('SIGKILL');
    await run.exitCode;
  }
  assert.ok(existsSync(socket), 'the killed process left its socket');
  await using run = new Run(['--config', harness.configFile(listen)]);
  const client = new TestClient((await run.ready()).grpc, TOKEN);
  await client.list();
  client.close();
  await using second = new Run(['--config', harness.configFile(listen)]);
  await second.refuses(/^SKEIN_ADDRESS_IN_USE: listen: unix:/);
});

test('what keeps it from starting: one line on stderr, exit code 1', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const bound = taken.address();
  assert.ok(bound && typeof bound === 'object');
  const place = `"127.0.0.1:${bound.port}"`;
  await using without = {
    nats: await startNatsServer({ jetstream: false }),
    [Symbol.asyncDispose]() {
      return this.nats.stop();
    },
  };
  writeFileSync(join(harness.directory, 'bad-seed'), 'SUNOTASEED\n');
  const cases: [string, Record<string, string>, RegExp][] = [
    ['gRPC port', { listen: place }, /^SKEIN_ADDRESS_IN_USE: listen: 127/],
    ['metrics port', { metrics: `{ listen: ${place} }` }, /^SKEIN_ADDRESS_IN_USE: metrics\.listen/],
    [
      'NATS down',
      { nats: '{ servers: ["nats://bob:secret@127.0.0.1:1"] }' },
      /^SKEIN_NATS_UNAVAILABLE: nats nats:\/\/127\.0\.0\.1:1: /,
    ],
    [
      'no JetStream',
      { nats: `{ servers: ["${without.nats.url}"] }` },
      /^SKEIN_NATS_UNAVAILABLE: nats: cannot open the JetStream/,
    ],
    ['typo', { lisen: 'x' }, /^SKEIN_CONFIG: .*controller\.yaml: line 7, lisen: /],
    ['no TLS', { listen: '"0.0.0.0:0"' }, /^SKEIN_CONFIG: .*tls: needed/],
    [
      'no certificate',
      { tls: '{ certFile: a, keyFile: b }' },
      /^SKEIN_CONFIG: tls: cannot read .*[ab] \(ENOENT\)\./,
    ],
    [
      'bad certificate',
      { tls: '{ certFile: bad-seed, keyFile: bad-seed }' },
      /^SKEIN_CONFIG: tls: .*no start line/,
    ],
    [
      'no seed',
      { signing: '{ seedFile: gone }' },
      /^SKEIN_CONFIG: signing\.seedFile: cannot read .*gone/,
    ],
    [
      'bad seed',
      { signing: '{ seedFile: bad-seed }' },
      /^SKEIN_CONFIG: signing seed does not decode/,
    ],
  ];
  for (const [name, lines, line] of cases) {
    await t.test(name, async () => {
      await using run = new Run(['--config', harness.configFile(lines)]);
      await run.refuses(line);
      assert.ok(!run.stderr.includes('secret') && !run.stderr.includes('NOTASEED'));
    });
  }
  await t.test('no file', async () => {
    await using run = new Run(['--config', '/nowhere/c.yaml']);
    await run.refuses(/^SKEIN_CONFIG: cannot read \/nowhere\/c\.yaml \(ENOENT\)/);
  });
  for (const argv of [[], ['--conf', 'x'], ['--config']]) {
    await t.test(`arguments ${argv.join(' ')}`, async () => {
      await using run = new Run(argv);
      await run.refuses(/^SKEIN_CONFIG: .*Usage: /);
    });
  }
  taken.close();
});

/** The controller as its own process. */
class Run implements AsyncDisposable {
  readonly child: ChildProcessByStdio<null, null, Readable>;
  readonly exitCode: Promise<number | null>;
  stderr = '';

  constructor(argv: readonly string[]) {
    this.child = spawn(process.execPath, [MAIN, ...argv], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.exitCode = once(this.child, 'close').then(([code]) => code);
  }

  ready(): Promise<{ grpc: string; metrics: string }> {
    return until(`ready: ${this.stderr}`, () => {
      assert.equal(this.child.exitCode, null, this.stderr);
      const line = this.stderr.split('\n').find((text) => text.includes('"msg":"ready"'));
      return line && JSON.parse(line);
    });
  }

  async refuses(line: RegExp): Promise<void> {
    assert.equal(await this.exitCode, 1);
    assert.match(this.stderr, line);
    assert.equal(this.stderr.trimEnd().split('\n').length, 1, this.stderr);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exitCode;
  }
}

import assert from 'node:assert/strict';
import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { stringify } from 'yaml';
import { generateSeed, signerFromSeed } from '#common/nkey.ts';
import { createLabHost, type LabHost, labName } from '#lab/netns.ts';
import { until } from './support/until.ts';

/** An agent as its own process meets what is wrong. The controller's like is in controller/src/main.test.ts. */
const MAIN = resolve('agent/src/main.ts');
const GUARD = resolve('examples/build/guard.bpf.o');
const TESTDATA = resolve('agent/src/engine/kernel/testdata');
const OBJECTS = resolve('agent/src/object/testdata');

const undo = new AsyncDisposableStack();
const directory = mkdtempSync(join(tmpdir(), 'skein-bad-input-'));
const bpffs = `/sys/fs/bpf/${labName('bad-input')}`;
let lab: LabHost;

before(() => {
  undo.defer(() => rmSync(directory, { recursive: true }));
  undo.defer(() => rmSync(bpffs, { recursive: true, force: true }));
  for (const folder of [TESTDATA, OBJECTS]) execFileSync('make', ['-s', '-C', folder]);
  lab = createLabHost('bad-input');
  undo.defer(() => lab.remove());
});
after(() => undo.disposeAsync());

test('what keeps an agent from starting: one line on stderr, exit code 1, nothing pinned', async (t) => {
  const truncated = join(directory, 'truncated.o');
  writeFileSync(truncated, readFileSync(GUARD).subarray(0, 3_000));
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  undo.defer(() => void taken.close());
  const address = taken.address();
  assert.ok(typeof address === 'object' && address);
  const keyless = join(OBJECTS, 'build/no-keys.o');
  const cases: readonly [string, object, RegExp][] = [
    ['typo', { hots: 'a' }, /^SKEIN_CONFIG: .*agent\.yaml: line \d+, hots: Unrecognized key/],
    [
      'no object',
      programs({ object: '/nowhere.o' }),
      /^SKEIN_CONFIG: programs\.0\.object: .*ENOENT/,
    ],
    [
      'corrupt object',
      programs({ object: truncated }),
      /^SKEIN_BAD_OBJECT: .*truncated\.o: ELF header, offset 0x28: /,
    ],
    [
      'object without keys',
      programs({ object: keyless }),
      /^SKEIN_NO_KEYS: programs\.0\.object: .*no-keys\.o has no static keys\. Declare/,
    ],
    [
      'key bound to nothing',
      programs({ keys: { 'net.drop_icmp': 'drop_icpm' } }),
      /^SKEIN_UNKNOWN_STATIC_KEY: programs\.0\.keys\.net\.drop_icmp: .*"drop_icpm"; it has: .*drop_icmp/,
    ],
    [
      'no such program',
      programs({ attach: [attachment('guard_xpd')] }),
      /^SKEIN_CONFIG: programs\.0\.attach\.0\.program: .*"guard_xpd"; it has: guard_xdp/,
    ],
    [
      'port taken',
      { metrics: { listen: `127.0.0.1:${address.port}` } },
      /^SKEIN_ADDRESS_IN_USE: metrics\.listen: 127\.0\.0\.1:\d+ is taken\./,
    ],
    [
      'helper missing',
      { helper: { path: '/nowhere/helper' } },
      /^SKEIN_HELPER_MISSING: cannot start \/nowhere\/helper\. Build it/,
    ],
    [
      'another program for a helper',
      { helper: { path: '/bin/cat' } },
      /^SKEIN_HELPER_DIED: \/bin\/cat exited with code 1: .*helper\.path/,
    ],
  ];
  for (const [name, change, line] of cases) {
    await t.test(name, async () => {
      await using run = new Run(change);
      assert.equal(await run.exitCode, 1);
      assert.match(run.stderr, line);
      assert.equal(run.stderr.trimEnd().split('\n').length, 1, run.stderr);
      assert.ok(!existsSync(bpffs));
    });
  }
});

test('a verifier rejection: the summary, then the whole log; the other unit runs', async () => {
  const [good] = programs({}).programs;
  const rejected = {
    name: 'rejected',
    object: join(TESTDATA, 'build/rejected.bpf.o'),
    attach: [{ program: 'rejected_xdp', xdp: { device: 'lo', netns: lab.netns } }],
    keys: { 'net.wild': 'read_wildly' },
  };
  await using run = new Run({ programs: [rejected, good] });
  const summary = await run.logged('code', /^SKEIN_VERIFIER_REJECTED$/);
  assert.match(
    summary.msg,
    /^SKEIN_VERIFIER_REJECTED: program rejected_xdp: .*packet\. Read the verifier log/,
  );
  const { log } = await run.logged('log', /invalid access to packet/);
  assert.match(log ?? '', /^0: .*processed \d+ insns/s);
  assert.equal((await run.logged('msg', /^attached$/)).unit, 'guard');
  assert.match(await run.notReady(), /^unit rejected: SKEIN_VERIFIER_REJECTED: /m);
  await run.stops();
});

test('a missing device or namespace is named, and tried again without a word', async () => {
  const missing: readonly [object, RegExp][] = [
    [{ device: 'eth9', netns: lab.netns }, /^SKEIN_NO_DEVICE: device eth9: /],
    [
      { device: 'lo', netns: '/run/netns/none' },
      /^SKEIN_NO_DEVICE: network namespace \/run\/netns\/none: /,
    ],
  ];
  for (const [xdp, line] of missing) {
    const attach = [{ program: 'guard_xdp', xdp }];
    await using run = new Run({ ...programs({ attach }), log: { level: 'debug' } });
    await run.logged('msg', line);
    assert.match(await run.notReady(), /^unit guard: SKEIN_NO_DEVICE: /m);
    await until('another attempt', () =>
      run.lines().some(({ level, code }) => level === DEBUG && code === 'SKEIN_NO_DEVICE'),
    );
    await run.stops();
    const said = run.lines().filter(({ level }) => level > DEBUG);
    assert.equal(said.filter(({ code }) => code === 'SKEIN_NO_DEVICE').length, 1);
    assert.equal(said.filter(({ msg }) => msg === 'loading').length, 1);
  }
});

test('a helper without privileges says which it needs', async () => {
  await using run = new Run({}, ['setpriv', '--bounding-set=-all', '--inh-caps=-all']);
  const { msg } = await run.logged('code', /^SKEIN_HELPER_PRIVILEGE$/);
  assert.match(msg, /EPERM.*setcap cap_bpf,cap_perfmon,cap_net_admin\+ep\.$/);
  await run.stops();
});

test('a second agent over the same pins does not start, and the first runs on', async () => {
  await using first = new Run({});
  await first.logged('msg', /^attached$/);
  await using second = new Run({});
  assert.equal(await second.exitCode, 1);
  const line = `SKEIN_PIN_CONFLICT: lock ${bpffs}: another process has it. Stop the other agent, `;
  assert.ok(second.stderr.startsWith(line), second.stderr);
  assert.equal(second.stderr.trimEnd().split('\n').length, 1, second.stderr);
  assert.deepEqual(readdirSync(bpffs), ['guard']);
  await first.stops();
});

test('a terminal that closes is a stop like others', async () => {
  await using run = new Run({});
  await run.logged('msg', /^attached$/);
  await run.stops('SIGHUP');
  assert.deepEqual(readdirSync(bpffs), []);
});

test('NATS down at start: one warning; the program runs, not ready before it knows what is desired', async () => {
  await using run = new Run({});
  const { msg } = await run.logged(
    'msg',
    /^SKEIN_NATS_UNAVAILABLE: nats nats:\/\/127\.0\.0\.1:1: /,
  );
  assert.match(msg, /CONNECTION_REFUSED\. Start nats-server/);
  await run.logged('msg', /^attached$/);
  assert.match(await run.notReady(), /^key net\.drop_icmp: no desired state known/m);
  await run.stops();
  assert.equal(run.stderr.split('SKEIN_NATS_UNAVAILABLE').length, 2, run.stderr);
});

function attachment(program: string) {
  return { program, xdp: { device: lab.device, netns: lab.netns } };
}

/** The guard example, but for what is given. */
function programs(change: object) {
  const keys = { 'net.drop_icmp': 'drop_icmp' };
  const guard = { name: 'guard', object: GUARD, attach: [attachment('guard_xdp')], keys };
  return { programs: [{ ...guard, ...change }] };
}

/** As pino numbers it. */
const DEBUG = 20;

interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly unit?: string;
  readonly code?: string;
  readonly log?: string;
  readonly metrics?: string;
}

/** An agent whose configuration is good but for `change`. */
class Run implements AsyncDisposable {
  readonly #child: ChildProcessByStdio<null, null, Readable>;
  readonly exitCode: Promise<number | null>;
  stderr = '';

  constructor(change: object, wrapper: readonly string[] = []) {
    const file = join(directory, 'agent.yaml');
    const config = {
      host: 'bad-input',
      nats: { servers: ['nats://127.0.0.1:1'] },
      controller: { publicKeys: [signerFromSeed(generateSeed()).publicKey] },
      stateDir: join(directory, 'state'),
      bpffs,
      metrics: { listen: '127.0.0.1:0' },
      ...programs({}),
      ...change,
    };
    writeFileSync(file, stringify(config));
    const argv = [...wrapper, process.execPath, MAIN, '--config', file, '--detach-on-exit'];
    // setpriv also ends it with the test, should that be killed.
    this.#child = spawn('setpriv', ['--pdeathsig', 'KILL', ...argv], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.exitCode = once(this.#child, 'close').then(([code]) => code);
  }

  /** The first log line whose field matches. */
  logged(field: 'msg' | 'code' | 'log', pattern: RegExp): Promise<LogLine> {
    return until(`${field} ${pattern}`, () => {
      assert.equal(this.#child.exitCode, null, this.stderr);
      return this.lines().find((line) => pattern.test(line[field] ?? ''));
    });
  }

  /** What /readyz says of it. */
  async notReady(): Promise<string> {
    const { metrics } = await this.logged('msg', /^starting$/);
    const response = await fetch(`${metrics}/readyz`);
    assert.equal(response.status, 503);
    return response.text();
  }

  async stops(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.#child.kill(signal);
    assert.equal(await this.exitCode, 0, this.stderr);
  }

  lines(): LogLine[] {
    return this.stderr
      .split('\n')
      .slice(0, -1)
      .flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exitCode;
  }
}

import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { until } from '../../../../test/support/until.ts';
import type { Behaviour, EngineFixture } from '../contract-world.ts';
import type { UnitSpec } from '../engine.ts';
import { type RuntimeEvent, UserspaceEngine } from './userspace-engine.ts';

const TESTDATA = fileURLToPath(new URL('testdata', import.meta.url));
// Several test files come here at once; the second one must not run what the first one is writing.
execFileSync('flock', [TESTDATA, 'make', '-s', '-C', TESTDATA]);

/** What hooks of the server give while nothing is installed. */
export const NOTHING = 65_535;

/** A process with the hooks "front" (XDP) and "request" (1 to 512 bytes). */
export class TestServer {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  readonly #log: string[] = [];

  constructor(socket: string, name: string) {
    this.#child = spawn(join(TESTDATA, 'build/runtime'), [socket, name]);
    this.#lines = createInterface(this.#child.stdout)[Symbol.asyncIterator]();
    createInterface(this.#child.stderr).on('line', (line) => this.#log.push(line));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** What the hook made of the bytes. */
  async run(hook: 'front' | 'request', bytes: Uint8Array) {
    this.#child.stdin.write(`${hook} ${Buffer.from(bytes).toString('hex')}\n`);
    const { value } = await this.#lines.next();
    const [verdict = '', hex = ''] = String(value).split(' ');
    return { verdict: Number(verdict), bytes: Buffer.from(hex, 'hex') };
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'close');
    this.#child.stdin.end();
    await ended;
    assert.equal(this.#child.exitCode, 0, this.#log.join('\n'));
  }

  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    const ended = once(this.#child, 'close');
    this.#child.kill('SIGKILL');
    await ended;
  }
}

/** A world of its own: a socket, and servers that outlive engines. */
export class UserspaceWorld implements EngineFixture {
  readonly declared = new Map([
    ['off_by_default', false],
    ['on_by_default', true],
  ]);
  readonly runs = { map: 'runs', place: { index: 0, offset: 8, size: 8 } } as const;
  readonly events: RuntimeEvent[] = [];
  readonly #directory = mkdtempSync(join(tmpdir(), 'skein-engine-'));
  readonly servers: TestServer[] = [];
  readonly #engines: UserspaceEngine[] = [];

  constructor(servers = 1) {
    for (let n = 0; n < servers; n++) this.addServer();
  }

  get socket(): string {
    return join(this.#directory, 'run/agent.sock');
  }

  addServer(): TestServer {
    const server = new TestServer(this.socket, `server-${this.servers.length}`);
    this.servers.push(server);
    return server;
  }

  /** With all servers connected. */
  async createEngine(): Promise<UserspaceEngine> {
    const engine = await this.createLonelyEngine();
    const pids = this.servers.map(({ pid }) => pid);
    await until('every server connected', async () => {
      const { features } = await engine.probe();
      const detail = features.find(({ name }) => name === 'runtimes')?.detail ?? '';
      // A server's second hook makes it connect again.
      return pids.every((pid) => detail.includes(`[${pid}] with front and request`));
    });
    // Whoever is being welcomed is done when the queue has come here.
    await engine.leftovers();
    return engine;
  }

  async createLonelyEngine(): Promise<UserspaceEngine> {
    const onRuntime = (event: RuntimeEvent) => this.events.push(event);
    const engine = await UserspaceEngine.start({ socket: this.socket, onRuntime });
    this.#engines.push(engine);
    return engine;
  }

  get unit(): UnitSpec {
    return this.spec('contract', 'contract-1', 'contract_xdp', 'front');
  }

  get nextVersion(): UnitSpec {
    return this.spec('contract', 'contract-2', 'contract_xdp', 'front');
  }

  spec(name: string, object: string, program: string, hook: string): UnitSpec {
    const objectPath = join(TESTDATA, `build/${object}.bpf.o`);
    return {
      name,
      object: readFileSync(objectPath),
      objectPath,
      attachments: [{ program, hook: { kind: 'userspace', hook } }],
    };
  }

  /** All servers must agree. */
  async behaviour(): Promise<Behaviour | undefined> {
    const verdicts = new Set<number>();
    for (const server of this.servers)
      verdicts.add((await server.run('front', new Uint8Array(64))).verdict);
    const [verdict = NOTHING, other] = verdicts;
    if (other !== undefined) throw new Error(`servers disagree: ${verdict}, ${other}`);
    return verdict === NOTHING ? undefined : decode(verdict);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const engine of this.#engines) await engine.close();
    for (const server of this.servers) await server.stop();
    rmSync(this.#directory, { recursive: true });
  }
}

function decode(verdict: number): Behaviour {
  return {
    keys: new Map([
      ['off_by_default', (verdict & 1) !== 0],
      ['on_by_default', (verdict & 2) !== 0],
    ]),
    version: verdict >> 8 === 1 ? 'unit' : 'nextVersion',
  };
}

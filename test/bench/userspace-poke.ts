import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { assemble } from '#agent/engine/userspace/isa/assemble.ts';
import { markedSites } from '#agent/engine/userspace/isa/sites.ts';
import { compile } from '#agent/engine/userspace/jit/compile.ts';
import { Machine } from '#agent/engine/userspace/machine.ts';
import { helloOf, type RuntimeConnection, RuntimeServer } from '#agent/helper/runtime-server.ts';
import { HookKind } from '#proto/gen/skein/v1/helper.ts';
import { native } from './paths.ts';

/** Nanoseconds. Those of one index were taken right after each other, in the same process with the same threads. */
export interface PokeSamples {
  /** Of a key with one site. */
  readonly poke: readonly number[];
  /** One store to code, and membarrier, in C. */
  readonly floor: readonly number[];
}

/** Pokes a program that a server's threads run without a pause: test/bench/native/poked.c. */
export async function measurePokes(count: number): Promise<PokeSamples> {
  const directory = mkdtempSync(join(tmpdir(), 'skein-bench-'));
  const path = join(directory, 'runtimes.sock');
  const connected = Promise.withResolvers<RuntimeConnection>();
  const server = await RuntimeServer.listen(path, (connection) => {
    // One that made its hook too late for this connection begins another.
    void helloOf(connection).then(
      ({ hooks }) => hooks.length > 0 && connected.resolve(connection),
      () => {},
    );
  });
  const child = spawn(native('poked'), [path], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'close');
  void exited.then(() => connected.reject(new Error('poked ended early')));
  try {
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    return await measure(await connected.promise, count, async () => {
      child.stdin.write('\n');
      const { value, done } = await lines.next();
      if (done) throw new Error('poked ended early');
      return Number(value);
    });
  } finally {
    child.stdin.end();
    await exited;
    await server.close();
    rmSync(directory, { recursive: true });
  }
}

const PROGRAM = assemble('r0 = 0\nnop_or_goto on\nexit\non: r0 = 1\nexit');

async function measure(
  runtime: RuntimeConnection,
  count: number,
  measureFloor: () => Promise<number>,
): Promise<PokeSamples> {
  const machine = new Machine(runtime);
  const code = await machine.map(compile(PROGRAM, markedSites(PROGRAM)));
  const [at] = code.compiled.sites;
  if (at === undefined) throw new Error('no site');
  const installed = { code: code.code, entry: 0, label: 'bench', blob: new Uint8Array(), uses: [] };
  await runtime.request('installProgram', { hook: 'poked', kind: HookKind.MEMORY, ...installed });
  const poke: number[] = [];
  const floor: number[] = [];
  let on = false;
  const steps = [
    async () => {
      poke.push(Number(await machine.poke([{ code, at, from: on, to: !on }], 'store')));
      on = !on;
    },
    async () => {
      floor.push(await measureFloor());
    },
  ];
  for (let round = 0; round < count; round++) {
    for (const step of steps) await step();
    // Who comes first has other caches to fill.
    steps.reverse();
  }
  return { poke, floor };
}

import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import type { Helper } from '#agent/helper/helper.ts';
import { startHelper } from '#agent/helper/helper-process.ts';
import { BpftoolObject, bpfUnavailable } from '#agent/object/testdata/bpftool.ts';
import { exampleObject } from '../example-object.ts';

const HELPER = path.join(import.meta.dirname, '../../agent/native/build/skein-helper');
const ENOENT = 2;
const OPENAT = 257;
const READ = 0;
const skip = bpfUnavailable();

/**
 * sysstat loaded, but attached to nothing: the system calls are those that the test makes up, all in one
 * thread of the helper, since bpftool cannot test-run raw tracepoint programs.
 */
class Sysstat implements AsyncDisposable {
  readonly #object: BpftoolObject;
  readonly #helper: Helper;

  static async open(): Promise<Sysstat> {
    const object = new BpftoolObject(exampleObject('sysstat'));
    try {
      return new Sysstat(object, await startHelper({ path: HELPER, pinRoot: object.pins }));
    } catch (error) {
      object[Symbol.dispose]();
      throw error;
    }
  }

  private constructor(object: BpftoolObject, helper: Helper) {
    this.#object = object;
    this.#helper = helper;
  }

  setKeys(keys: { measure_latency: 0 | 1; count_errors: 0 | 1 }): void {
    this.#object.write('.data.static_keys', 0, keys.measure_latency, keys.count_errors);
  }

  async enter(number: number): Promise<void> {
    await this.#run('sysstat_enter', number);
  }

  async exit(result: number): Promise<void> {
    await this.#run('sysstat_exit', result);
  }

  async systemCall(number: number, result: number): Promise<void> {
    await this.enter(number);
    await this.exit(result);
  }

  /** Over all CPUs: the counter, or the slots of the histogram. */
  read(map: 'calls' | 'latencies' | 'errors', index: number): readonly number[] {
    const values = this.#object.read(map, index).map((value) => new BigUint64Array(value.buffer));
    return Array.from(values[0] ?? [], (_, slot) =>
      values.reduce((total, value) => total + Number(value[slot] ?? 0n), 0),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#helper.close();
    this.#object[Symbol.dispose]();
  }

  async #run(program: string, second: number): Promise<void> {
    const { handle } = await this.#helper.request('adopt', { path: program });
    const dataIn = new Uint8Array(BigInt64Array.of(0n, BigInt(second)).buffer);
    await this.#helper.request('testRun', { program: handle, dataIn, repeat: 1 });
  }
}

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

test('as declared, calls are counted and nothing else', { skip }, async () => {
  await using sysstat = await Sysstat.open();
  for (let i = 0; i < 3; i++) await sysstat.systemCall(OPENAT, -ENOENT);
  await sysstat.systemCall(READ, 10);
  assert.deepEqual(sysstat.read('calls', OPENAT), [3]);
  assert.deepEqual(sysstat.read('calls', READ), [1]);
  assert.deepEqual(sysstat.read('errors', ENOENT), [0]);
  assert.equal(sum(sysstat.read('latencies', OPENAT)), 0);
});

test('measure_latency fills the histogram of the system call', { skip }, async () => {
  await using sysstat = await Sysstat.open();
  sysstat.setKeys({ measure_latency: 1, count_errors: 0 });
  const before = performance.now();
  await sysstat.enter(OPENAT);
  const entered = performance.now();
  while (performance.now() - entered < 5);
  const left = performance.now();
  await sysstat.exit(3);
  const [least, most] = [left - entered, performance.now() - before].map((ms) => ms * 1000);
  const slot = sysstat.read('latencies', OPENAT).indexOf(1);
  assert.ok(2 ** (slot + 1) > (least ?? 0) && 2 ** slot <= (most ?? 0), `${least} ${slot} ${most}`);
  assert.equal(sum(sysstat.read('latencies', READ)), 0);

  sysstat.setKeys({ measure_latency: 0, count_errors: 0 });
  await sysstat.systemCall(OPENAT, 3);
  assert.equal(sum(sysstat.read('latencies', OPENAT)), 1, 'off: nothing is added');
  assert.deepEqual(sysstat.read('calls', OPENAT), [2]);
});

test('a call that began before measure_latency was on is not measured', { skip }, async () => {
  await using sysstat = await Sysstat.open();
  await sysstat.enter(OPENAT);
  sysstat.setKeys({ measure_latency: 1, count_errors: 0 });
  await sysstat.exit(0);
  assert.equal(sum(sysstat.read('latencies', OPENAT)), 0);
});

test('count_errors counts by errno', { skip }, async () => {
  await using sysstat = await Sysstat.open();
  sysstat.setKeys({ measure_latency: 0, count_errors: 1 });
  await sysstat.systemCall(OPENAT, -ENOENT);
  await sysstat.systemCall(OPENAT, ENOENT);
  // ERESTARTSYS, which user space never sees.
  await sysstat.systemCall(READ, -512);
  assert.deepEqual(sysstat.read('errors', ENOENT), [1]);
});

test('numbers that no system call has are left alone', { skip }, async () => {
  await using sysstat = await Sysstat.open();
  sysstat.setKeys({ measure_latency: 1, count_errors: 1 });
  await sysstat.systemCall(-1, -38);
  await sysstat.systemCall(100_000, -38);
  assert.deepEqual(sysstat.read('errors', 38), [2]);
});

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import test from 'node:test';
import { BpftoolObject, bpfUnavailable } from '../src/object/testdata/bpftool.ts';
import { fixturePath } from '../src/object/testdata/fixtures.ts';

// As in testdata/branches.bpf.c.
const ALPHA = 0x1;
const BETA = 0x2;
const BOTH = 0x4;
const LOCAL = 0x8;
const PLAIN = 0x10;
const FOUR_LOOPS = 0x400;
const THREE_UNROLLED = 0x3000;
const THREE_CALLBACKS = 0x30000;
const WITH_ALPHA = ALPHA | FOUR_LOOPS | THREE_UNROLLED;

const packet = new Uint8Array(64);
const skip = bpfUnavailable();

for (const name of ['branches.o', 'branches-O1.o', 'branches-stripped.o']) {
  test(`${name} works under bpftool, its keys as plain variables`, { skip }, () => {
    using object = new BpftoolObject(fixturePath(name));
    const run = (program: string) => object.runOnPacket(program, packet);
    // In the order of the variables in the section: alpha, beta, local_key, callback_key.
    const setKeys = (...keys: readonly number[]) => object.write('.data.static_keys', 0, ...keys);

    assert.equal(run('mixed'), BETA, 'as declared');
    assert.equal(run('shares_alpha'), 0);
    assert.equal(run('calls_back'), 0);

    setKeys(1, 1, 0, 0);
    assert.equal(run('mixed'), WITH_ALPHA | BETA | BOTH);
    assert.equal(run('inlined_again'), ALPHA);
    assert.equal(run('shares_alpha'), ALPHA, 'one variable for all programs of the object');

    setKeys(1, 0, 0, 0);
    assert.equal(run('mixed'), WITH_ALPHA, 'both sides of a nested branch');

    setKeys(0, 0, 1, 1);
    assert.equal(run('mixed'), LOCAL);
    assert.equal(run('calls_back'), THREE_CALLBACKS);

    setKeys(0, -1, 0, 0);
    assert.equal(run('mixed'), BETA, 'any value but 0 is on');
  });
}

test('a key elsewhere than in its own section works too, and counters are left alone', {
  skip,
}, () => {
  using object = new BpftoolObject(fixturePath('branches.o'));
  const run = () => object.runOnPacket('mixed', packet);
  const bss = () => new Uint32Array(Uint8Array.from(object.read('branches.bss')[0] ?? []).buffer);
  assert.equal(run(), BETA);
  object.write('.data.static_keys', 0, 0, 0, 0, 0);
  assert.equal(run(), 0);
  // runs (64 bits), then plain.
  assert.deepEqual([...bss()], [2, 0, 0], 'flipping keys does not touch what programs count');

  object.write('branches.bss', 0, 2, 0, 1);
  assert.equal(run(), PLAIN);
  object.write('branches.data', 0, 0);
  assert.equal(run(), 0, 'declared_on is off');
});

test('a key must be an int', () => {
  const source = `
    #include "skein.bpf.h"
    long wide;
    int f(void) { return bpf_static_branch_unlikely(&wide); }`;
  assert.throws(() => {
    const include = `-I${import.meta.dirname}`;
    execFileSync('clang', ['-target', 'bpf', '-O2', include, '-xc', '-c', '-', '-o', '/dev/null'], {
      input: source,
      stdio: 'pipe',
    });
  }, /a static key is an int/);
});

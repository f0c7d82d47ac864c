import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { readObject } from '../src/object/read-object.ts';
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

/** Compiles with the header, in C or C++; no object when it is only to be checked. */
function compile(language: 'c' | 'c++', source: string, output = '/dev/null'): void {
  const include = `-I${import.meta.dirname}`;
  const flags = ['-target', 'bpf', '-O2', '-Wall', '-Wextra', '-Werror', include];
  execFileSync('clang', [...flags, `-x${language}`, '-c', '-', '-o', output], {
    input: `#include "skein.bpf.h"\n${source}`,
    stdio: 'pipe',
  });
}

for (const language of ['c', 'c++'] as const) {
  test(`${language}: a key must be an int`, () => {
    for (const type of ['long', 'short', 'unsigned', 'int *']) {
      const source = `${type} wrong; int f(void) { return bpf_static_branch_unlikely(&wrong); }`;
      assert.throws(() => compile(language, source), /a static key is an int/, type);
    }
    compile(language, 'volatile int odd; int f(void) { return bpf_static_branch_likely(&odd); }');
  });
}

test('the same branches from C and from C++', () => {
  const source = `
    DEFINE_STATIC_KEY_FALSE(first);
    DEFINE_STATIC_KEY_TRUE(second);
    __attribute__((section("xdp"))) int both(void) {
      if (bpf_static_branch_unlikely(&first) && bpf_static_branch_likely(&second)) return 1;
      return bpf_static_branch_likely(&first) ? 2 : 3;
    }`;
  const directory = mkdtempSync(path.join(tmpdir(), 'skein-test-'));
  try {
    const [fromC, fromCpp] = (['c', 'c++'] as const).map((language) => {
      const object = path.join(directory, 'object.o');
      compile(language, language === 'c' ? source : `extern "C" {${source}}`, object);
      return readObject(readFileSync(object)).keys.map(({ name, declared, sites }) => ({
        name,
        declared,
        sites: sites.map((site) => [site.function, site.encoding, site.inverse]),
      }));
    });
    assert.deepEqual(fromC, [
      {
        name: 'first',
        declared: false,
        sites: [
          ['both', 'default', false],
          ['both', 'default', true],
        ],
      },
      { name: 'second', declared: true, sites: [['both', 'default', true]] },
    ]);
    assert.deepEqual(fromCpp, fromC);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

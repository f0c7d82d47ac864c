import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { SkeinError } from '#common/errors.ts';
import { mulberry32 } from '../../../test/support/random.ts';
import { BtfTypes } from './btf.ts';
import { sitesOfProgram } from './call-graph.ts';
import { readMaps } from './maps.ts';
import { findNumber } from './numbers.ts';
import { readObject } from './read-object.ts';
import type { ObjectSpec } from './spec.ts';
import { fixture } from './testdata/fixtures.ts';
import { mutate } from './testdata/mutate.ts';

/** Far above what any input here needs, far below what a loop without bound takes. */
const READ_LIMIT_MS = 1000;

/** Reads to the end, or refuses as it should; says which. */
function survives(bytes: Uint8Array): 'read' | 'refused' {
  const start = performance.now();
  try {
    const spec = readObject(bytes);
    for (const program of spec.programs) sitesOfProgram(spec, program.name);
    readTypes(spec);
    return 'read';
  } catch (error) {
    if (!(error instanceof SkeinError)) throw error;
    assert.equal(error.code, 'SKEIN_BAD_OBJECT');
    assert.match(error.message, /^[^\n]+, offset 0x[0-9a-f.]+: [^\n]+$/);
    assert.ok(error.message.length < 600);
    return 'refused';
  } finally {
    assert.ok(performance.now() - start < READ_LIMIT_MS, 'took too long');
  }
}

/** What is read of types alone when counters are configured. */
function readTypes(spec: ObjectSpec): void {
  const section = spec.sections.find(({ name }) => name === '.BTF');
  if (section === undefined) return;
  const types = new BtfTypes(section);
  for (const name of ['.maps', '.data', '.bss']) {
    for (const id of types.variables(name).values()) findNumber(types, id, ['inner', 'no'], name);
  }
  for (const { name, valueType } of readMaps(types).values()) {
    if (valueType !== undefined) findNumber(types, valueType, ['inner', 'no'], name);
  }
}

const objects = ['branches.o', 'branches-no-debug.o', 'encodings.o', 'counters.o'].map(fixture);

test('arbitrary bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 4096 }), (bytes) => {
      assert.equal(survives(bytes), 'refused');
    }),
  );
});

test('arbitrary bytes after a good ELF header', () => {
  const header = fixture('no-keys.o').subarray(0, 64);
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 64, maxLength: 4096 }), (rest) => {
      const bytes = new Uint8Array(64 + rest.length);
      bytes.set(header);
      bytes.set(rest, 64);
      new DataView(bytes.buffer).setBigUint64(40, 64n, true);
      new DataView(bytes.buffer).setUint16(60, Math.floor(rest.length / 64), true);
      new DataView(bytes.buffer).setUint16(62, 0, true);
      survives(bytes);
    }),
  );
});

test('every truncation', () => {
  // Section headers come last in what LLVM writes.
  const bytes = fixture('branches-no-debug.o');
  for (let length = 0; length < bytes.length; length++)
    assert.equal(survives(bytes.subarray(0, length)), 'refused', `${length} bytes`);
});

test('every byte changed, in three ways', () => {
  const bytes = fixture('branches-no-debug.o');
  for (let at = 0; at < bytes.length; at++) {
    const old = bytes[at] ?? 0;
    for (const value of [0xff, old ^ 1, old ^ 0x80]) {
      bytes[at] = value;
      survives(bytes);
    }
    bytes[at] = old;
  }
});

test('20,000 mutations of real objects', (t) => {
  const random = mulberry32(0x5ce17);
  const count = { read: 0, refused: 0 };
  for (let round = 0; round < 20_000; round++) {
    const bytes = objects[round % objects.length]?.slice() ?? new Uint8Array();
    const edits = 1 + random(8);
    for (let edit = 0; edit < edits; edit++) mutate(bytes, random);
    count[survives(bytes)]++;
  }
  t.diagnostic(`${count.read} read, ${count.refused} refused`);
  assert.ok(count.read > 1000 && count.refused > 1000, 'mutations reach both ends');
});

test('long names that share their bytes', () => {
  // Every header names a string that begins at its own offset and ends a megabyte later.
  const count = 10_000;
  const bytes = withSections(count, 2 ** 20, (header, index) => {
    header.setUint32(0, index, true);
    header.setUint32(4, index === 0 ? 3 : 8, true);
  }).fill(0x41, 64 + count * 64);
  bytes[bytes.length - 1] = 0;
  assert.equal(survives(bytes), 'refused');
});

test('hundreds of relocation sections over the same bytes', () => {
  const bytes = withSections(500, 48 * 20_000, (header, index) => {
    header.setUint32(4, index === 1 ? 2 : 9, true);
    header.setUint32(40, 1, true);
    header.setUint32(44, 1, true);
  });
  assert.equal(survives(bytes), 'refused');
});

test('sizes that no file can have', () => {
  for (const size of [2n ** 32n, 2n ** 53n, 2n ** 64n - 1n]) {
    const bytes = withSections(3, 64, (header) => {
      header.setUint32(4, 1, true);
      header.setBigUint64(32, size, true);
    });
    assert.equal(survives(bytes), 'refused');
  }
});

/** An ELF file of a header, section headers that all cover the bytes behind them, and those bytes. */
function withSections(
  count: number,
  size: number,
  fill: (header: DataView, index: number) => void,
): Uint8Array {
  const bytes = new Uint8Array(64 + count * 64 + size);
  bytes.set(fixture('no-keys.o').subarray(0, 64));
  const file = new DataView(bytes.buffer);
  file.setBigUint64(40, 64n, true);
  file.setUint16(60, count, true);
  file.setUint16(62, 0, true);
  for (let index = 0; index < count; index++) {
    const header = new DataView(bytes.buffer, 64 + index * 64, 64);
    header.setBigUint64(24, BigInt(64 + count * 64), true);
    header.setBigUint64(32, BigInt(size), true);
    fill(header, index);
  }
  return bytes;
}

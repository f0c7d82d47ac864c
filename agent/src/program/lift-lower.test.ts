import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { exampleObject } from '../../../examples/example-object.ts';
import { readObject } from '../object/read-object.ts';
import { bpfUnavailable } from '../object/testdata/bpftool.ts';
import { fixture } from '../object/testdata/fixtures.ts';
import { lift } from './lift.ts';
import { lower } from './lower.ts';
import { specialise } from './specialise.ts';
import { type KernelView, kernelView, programFixture } from './testdata/objects.ts';

interface Sample {
  readonly name: string;
  readonly read: () => Uint8Array;
}

const ours: readonly Sample[] = [
  ...[
    'branches.o',
    'branches-O1.o',
    'branches-no-debug.o',
    'branches-stripped.o',
    'no-keys.o',
    'encodings.o',
  ].map((name) => ({ name, read: () => fixture(name) })),
  ...['sixteen.o', 'subprograms.o', 'large.o', 'busy.o', 'kinds.o'].map((name) => ({
    name,
    read: () => programFixture(name),
  })),
  ...(['guard', 'sysstat'] as const).map((name) => ({
    name: `${name}.bpf.o`,
    read: () => readFileSync(exampleObject(name)),
  })),
];
const strangers: readonly Sample[] = globSync('/usr/lib/*/bpf/*.o').map((file) => ({
  name: path.basename(file),
  read: () => readFileSync(file),
}));
const samples = [...ours, ...strangers];

test(`lifted and lowered, an object is what it was: ${samples.length}`, () => {
  for (const { name, read } of samples)
    assert.ok(Buffer.compare(lower(lift(read())), read()) === 0, name);
});

test('objects that others compiled are there', { skip: strangers.length === 0 }, () => {
  assert.ok(strangers.length >= 15, `${strangers.length} objects of the package xdp-tools`);
});

/** Goes through everything that edits do to an object, without changing an instruction. */
const rewritten = (bytes: Uint8Array) => lower({ ...lift(bytes), edited: true });

test('an edited object keeps every section but DWARF', () => {
  for (const { name, read } of samples) {
    const old = readObject(read());
    const now = readObject(rewritten(read()));
    const kept = old.sections.filter((each) => !/^(\.rel)?\.(debug_|llvm_addrsig)/.test(each.name));
    assert.deepEqual(
      now.sections.map((each) => each.name),
      kept.map((each) => each.name),
      name,
    );
    kept.forEach((section, index) => {
      if (/^\.(strtab|symtab|rel)/.test(section.name)) return;
      assert.ok(
        Buffer.compare(section.bytes, now.sections[index]?.bytes ?? new Uint8Array()) === 0,
        `${name}: ${section.name}`,
      );
    });
    assert.deepEqual(now.keys, old.keys, name);
    assert.deepEqual(namedRelocations(now), namedRelocations(old), name);
  }
});

/** Relocations of code and tables with what they name, whatever its number. */
const namedRelocations = ({ sections }: ReturnType<typeof readObject>) =>
  sections
    .filter((section) => section.executable || section.name === '.static_keys')
    .map(({ name, relocations }) => ({
      name,
      relocations: relocations.map(({ offset, type, symbol }) => [
        offset,
        type,
        symbol.name,
        symbol.offset,
      ]),
    }));

for (const { name, read } of samples) {
  test(`the kernel makes the same of ${name}, rewritten`, { skip: bpfUnavailable() }, () => {
    const file = path.basename(name, '.o');
    const stock = tryToLoad(file, read());
    assert.deepEqual(tryToLoad(file, rewritten(read())), stock);
    if ('programs' in stock) assert.ok(Object.keys(stock.programs).length > 0);
    else assert.ok(stock.refused.length > 0);
  });
}

/** Some objects are not for this kernel: then it must refuse both in the same words. */
function tryToLoad(name: string, bytes: Uint8Array): KernelView | { refused: readonly string[] } {
  try {
    return kernelView(name, bytes);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const lines = error.message.split('\n').filter((line) => !/\/tmp\/|\busec\b/.test(line));
    return { refused: lines };
  }
}

test('an edit without values changes nothing in the code', () => {
  const lifted = lift(fixture('branches.o'));
  const same = readObject(lower(specialise(lifted, new Map())));
  assert.deepEqual(
    same.functions.map(({ name, bytes }) => [name, [...bytes]]),
    readObject(fixture('branches.o')).functions.map(({ name, bytes }) => [name, [...bytes]]),
  );
});

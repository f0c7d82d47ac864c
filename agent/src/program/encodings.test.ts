import assert from 'node:assert/strict';
import test from 'node:test';
import { readObject } from '../object/read-object.ts';
import { type BpftoolObject, bpfUnavailable } from '../object/testdata/bpftool.ts';
import { fixture } from '../object/testdata/fixtures.ts';
import { lift } from './lift.ts';
import { lower } from './lower.ts';
import { lowerDynamic } from './lower-dynamic.ts';
import { specialise } from './specialise.ts';
import { kernelView, loadBytes, programFixture } from './testdata/objects.ts';

const skip = bpfUnavailable();
const packet = new Uint8Array(64);
const run = (object: BpftoolObject, program: string) => object.runOnPacket(program, packet);

/** `first`, `second` and `hidden`, in the order of the variables in their section. */
type Keys = readonly [boolean, boolean, boolean];
const everyVector: readonly Keys[] = [0, 1, 2, 3, 4, 5, 6, 7].map((n) => [
  (n & 1) !== 0,
  (n & 2) !== 0,
  (n & 4) !== 0,
]);

/** What the programs of encodings.bpf.c must answer. */
const bits = (...taken: readonly boolean[]) =>
  taken.reduce((sum, is, number) => sum | (is ? 1 << number : 0), 0);
const expected = ([first, second, hidden]: Keys) => ({
  sections: bits(first, !first, second, !hidden),
  self_compares: bits(first, !first, second, !hidden),
  selectable: bits(first, !first, second, !hidden),
  mixed_encodings: bits(hidden, hidden, hidden, hidden, hidden),
  // A register is equal to itself, whatever the key.
  ordinary: 0,
});

const answers = (object: BpftoolObject, vector: Keys) =>
  Object.fromEntries(Object.keys(expected(vector)).map((name) => [name, run(object, name)]));

test('every encoding is found, with its polarity', () => {
  const { keys } = readObject(fixture('encodings.o'));
  const outline = keys.map(({ name, sites }) => ({
    name,
    sites: sites.map(
      (site) => `${site.function} ${site.encoding}${site.inverse ? ' inverse' : ''}`,
    ),
  }));
  assert.deepEqual(outline, [
    {
      name: 'first',
      sites: [
        'sections section',
        'sections section inverse',
        'self_compares self-compare',
        'self_compares self-compare inverse',
        'selectable selectable-ja',
        'selectable selectable-ja inverse',
      ],
    },
    {
      name: 'second',
      sites: ['sections section', 'self_compares self-compare', 'selectable selectable-ja'],
    },
    {
      name: 'hidden',
      sites: [
        'counts self-compare',
        'sections section inverse',
        'self_compares self-compare inverse',
        'selectable selectable-ja inverse',
        'mixed_encodings section',
        'mixed_encodings self-compare',
        'mixed_encodings selectable-ja',
        'mixed_encodings default',
      ],
    },
  ]);
  for (const site of keys.flatMap((key) => key.sites))
    assert.equal(
      site.instruction - site.start,
      { default: 3, 'self-compare': 2, section: 0, 'selectable-ja': 0 }[site.encoding],
    );
});

test('the dynamic form of every encoding is the default one', () => {
  const before = readObject(fixture('encodings.o'));
  const after = readObject(lower(lowerDynamic(lift(fixture('encodings.o')))));
  const outline = ({ keys }: typeof before) =>
    keys.map(({ name, declared, sites }) => ({
      name,
      declared,
      sites: sites.map((site) => [site.function, site.inverse, site.source?.line]),
    }));
  assert.deepEqual(outline(after), outline(before));
  assert.ok(after.keys.every(({ sites }) => sites.every((site) => site.encoding === 'default')));
  assert.deepEqual(
    after.sections.filter(({ name }) => name.includes('static_branch')),
    [],
    'their tables are gone',
  );
});

test('what has the default encoding stays as it is', () => {
  const lifted = lift(fixture('branches.o'));
  assert.equal(lowerDynamic(lifted), lifted);
});

test('dynamic: each flip shows on the kernel', { skip }, () => {
  using object = loadBytes('encodings', lower(lowerDynamic(lift(fixture('encodings.o')))));
  const declared: Keys = [false, true, false];
  assert.deepEqual(answers(object, declared), expected(declared), 'as declared');
  for (const vector of everyVector) {
    object.write('.data.static_keys', 0, ...vector.map(Number));
    assert.deepEqual(answers(object, vector), expected(vector), `${vector}`);
  }
});

test('specialised: nothing of any encoding is left', { skip }, () => {
  const lifted = lift(fixture('encodings.o'));
  for (const vector of everyVector) {
    const [first, second, hidden] = vector;
    const values = new Map(Object.entries({ first, second, hidden }));
    const bytes = lower(specialise(lifted, values));
    const spec = readObject(bytes);
    assert.deepEqual(spec.keys, []);
    const names = spec.sections.map(({ name }) => name);
    assert.ok(!names.some((name) => name === '.static_keys' || name.endsWith('.static_branch')));
    using object = loadBytes('encodings', bytes);
    // The variables say the opposite: nobody may look at them.
    object.write('.data.static_keys', 0, ...vector.map((on) => Number(!on)));
    assert.deepEqual(answers(object, vector), expected(vector), `${vector}`);
  }
});

test('keys without a value stay dynamic beside those with one', { skip }, () => {
  const lifted = lift(fixture('encodings.o'));
  using object = loadBytes('encodings', lower(specialise(lifted, new Map([['first', true]]))));
  for (const vector of everyVector.filter(([first]) => first)) {
    object.write('.data.static_keys', 0, 0, ...vector.slice(1).map(Number));
    assert.deepEqual(answers(object, vector), expected(vector), `${vector}`);
  }
});

test('where no register is free, one is spilled', { skip }, () => {
  const lifted = lift(programFixture('busy.o'));
  using object = loadBytes('busy', lower(lowerDynamic(lifted)));
  const sum = 55;
  assert.equal(run(object, 'busy'), sum);
  object.write('.data.static_keys', 0, 1);
  // r1, which was 2, holds 1 there, what was spilled before.
  assert.equal(
    run(object, 'busy'),
    sum + 1000 - 1,
    'every register has its value, on the other way too',
  );
  const { programs } = kernelView('busy', lower(lowerDynamic(lifted)));
  assert.ok(programs.busy?.some((line) => line.includes('*(u64 *)(r10 -16) = r9')));
});

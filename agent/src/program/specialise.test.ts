import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { exampleObject } from '../../../examples/example-object.ts';
import * as packets from '../../../examples/guard/packets.ts';
import { mulberry32 } from '../../../test/support/random.ts';
import { JA } from '../object/instructions.ts';
import { readObject } from '../object/read-object.ts';
import type { ObjectSpec } from '../object/spec.ts';
import { type BpftoolObject, bpfUnavailable } from '../object/testdata/bpftool.ts';
import { fixture } from '../object/testdata/fixtures.ts';
import { lift } from './lift.ts';
import { lower } from './lower.ts';
import { specialise } from './specialise.ts';
import { kernelView, loadBytes, programFixture } from './testdata/objects.ts';
import { compile, KEYS, randomSource } from './testdata/random-program.ts';

const skip = bpfUnavailable();

type Vector = ReadonlyMap<string, boolean>;

/** Every assignment of the keys, numbered by their values as bits. */
const vectorOf = (names: readonly string[], number: number): Vector =>
  new Map(names.map((name, index) => [name, ((number >> index) & 1) === 1]));

const specialised = (bytes: Uint8Array, vector: Vector) => lower(specialise(lift(bytes), vector));

test('16 off branches leave nothing: the kernel gets what it gets without them', { skip }, () => {
  const off = new Map([
    ['even', false],
    ['odd', false],
  ]);
  const count = ({ programs }: ReturnType<typeof kernelView>) =>
    Object.entries(programs).map(([name, lines]) => [name, lines.length]);
  // Sorted: around a branch the compiler orders loads in another way.
  const opcodes = (bytes: Uint8Array) =>
    readObject(bytes).programs.map(({ name, bytes }) => [
      name,
      Array.from({ length: bytes.length / 8 }, (_, slot) => bytes[slot * 8]).sort(),
    ]);
  const without = programFixture('sixteen-none.o');
  const ours = specialised(programFixture('sixteen.o'), off);
  assert.deepEqual(opcodes(ours), opcodes(without), 'the same instructions');
  const none = kernelView('sixteen', without);
  assert.deepEqual(count(kernelView('sixteen', ours)), count(none));
  const dynamic = kernelView('sixteen', programFixture('sixteen.o'));
  assert.ok((dynamic.programs.hashes?.length ?? 0) > (none.programs.hashes?.length ?? 0) + 16 * 3);
});

test('an on branch is plain code: no test, no jump there and back', () => {
  const on = new Map([
    ['even', true],
    ['odd', true],
  ]);
  const spec = readObject(specialised(programFixture('sixteen.o'), on));
  const hashes = spec.programs.find(({ name }) => name === 'hashes');
  assert.equal(jumps(hashes?.bytes ?? new Uint8Array()), 1, 'the bounds check');
  assert.deepEqual(spec.sections.filter(({ name }) => name.includes('.static_keys')).length, 1);
});

/** Jumps of any kind, calls and exits aside. */
function jumps(code: Uint8Array): number {
  const opcodes = Array.from({ length: code.length / 8 }, (_, slot) => code[slot * 8] ?? 0);
  return opcodes.filter((op) => [5, 6].includes(op & 7) && op !== 0x85 && op !== 0x95).length;
}

/** Opcodes of code, with the offsets of jumps. */
const slotsOf = (code: Uint8Array) =>
  Array.from({ length: code.length / 8 }, (_, slot) => [...code.subarray(slot * 8, slot * 8 + 4)]);

const BRANCH_KEYS = ['alpha', 'beta', 'local_key', 'callback_key', 'plain', 'declared_on'];
const BRANCH_PROGRAMS = [
  'mixed',
  'inlined_again',
  'shares_alpha',
  'calls_back',
  'without_branches',
];

for (const name of ['branches.o', 'branches-O1.o', 'branches-stripped.o']) {
  test(`${name}: specialised and dynamic agree for every vector`, { skip }, () => {
    using dynamic = loadBytes('branches', fixture(name));
    // Every fourth of the 64, a different one for each object; each value of each key is among them.
    for (let number = name.length % 4; number < 64; number += 5) {
      const vector = vectorOf(BRANCH_KEYS, number);
      using ours = loadBytes('branches', specialised(fixture(name), vector));
      setBranchKeys(dynamic, vector);
      for (const program of BRANCH_PROGRAMS)
        assert.equal(
          ours.runOnPacket(program, new Uint8Array(64)),
          dynamic.runOnPacket(program, new Uint8Array(64)),
          `${program}, ${[...vector]}`,
        );
    }
  });
}

function setBranchKeys(object: BpftoolObject, vector: Vector): void {
  const value = (key: string) => Number(vector.get(key));
  object.write('.data.static_keys', 0, ...BRANCH_KEYS.slice(0, 4).map(value));
  object.write('branches.bss', 0, 0, 0, value('plain'));
  object.write('branches.data', 0, value('declared_on'));
}

test('no goto goes to what follows anyway', () => {
  const lifted = lift(fixture('branches.o'));
  const random = lift(compile(randomSource(mulberry32(1))));
  for (const [object, keys] of [
    [lifted, BRANCH_KEYS],
    [random, KEYS],
  ] as const)
    for (let number = 0; number < 2 ** keys.length; number++)
      for (const fn of readObject(lower(specialise(object, vectorOf(keys, number)))).functions)
        assert.ok(
          !slotsOf(fn.bytes).some(
            ([opcode, , low, high]) => opcode === JA && low === 0 && high === 0,
          ),
          `${fn.name}, vector ${number}`,
        );
});

const GUARD_KEYS = ['count_protocols', 'drop_icmp', 'drop_udp', 'drop_fragments', 'drop_sources'];
const TRAFFIC = {
  ping: packets.ipv4(packets.ICMP, packets.icmp(8)),
  udp: packets.ipv4(packets.UDP, packets.udp(9000)),
  fragment: packets.ipv4(packets.UDP, packets.udp(9000), 1),
  tcp6: packets.ipv6(packets.TCP, packets.tcp()),
};

test('guard: specialised and dynamic agree on packets and counters', { skip }, () => {
  const bytes = readFileSync(exampleObject('guard'));
  for (const number of [0, 1, 6, 11, 13, 22, 28, 31]) {
    const vector = vectorOf(GUARD_KEYS, number);
    using ours = loadBytes('guard', specialised(bytes, vector));
    using fresh = loadBytes('guard', bytes);
    fresh.write('.data.static_keys', 0, ...[...vector.values()].map(Number));
    for (const [name, packet] of Object.entries(TRAFFIC))
      for (const program of ['guard_xdp', 'guard_tc'])
        assert.equal(
          ours.runOnPacket(program, packet),
          fresh.runOnPacket(program, packet),
          `${program}, ${name}, ${[...vector]}`,
        );
    for (const map of ['rx_protocols', 'tx_protocols'])
      for (const protocol of [packets.ICMP, packets.UDP, packets.TCP])
        assert.deepEqual(
          total(ours, map, protocol),
          total(fresh, map, protocol),
          `${map} ${number}`,
        );
  }
});

/** Over all processors: the runs may have been on different ones. */
const total = (object: BpftoolObject, map: string, key: number) =>
  object.read(map, key).reduce((sum, value) => sum + (value[0] ?? 0), 0);

test('every vector of sysstat is taken by the kernel, and off is the smallest', { skip }, () => {
  const bytes = readFileSync(exampleObject('sysstat'));
  const keys = readObject(bytes).keys.map(({ name }) => name);
  const sizes = Array.from({ length: 2 ** keys.length }, (_, number) => {
    const { programs } = kernelView('sysstat', specialised(bytes, vectorOf(keys, number)));
    return Object.values(programs).reduce((sum, lines) => sum + lines.length, 0);
  });
  assert.equal(Math.min(...sizes), sizes[0]);
  assert.ok(new Set(sizes).size > 1);
});

const functionNames = (spec: ObjectSpec) => spec.functions.map(({ name }) => name).sort();

test('subprograms go with the last branch that needs them', { skip }, () => {
  const bytes = programFixture('subprograms.o');
  const names = (deep: boolean, shallow: boolean) => {
    const vector = new Map(Object.entries({ deep, shallow }));
    const lowered = specialised(bytes, vector);
    kernelView('subprograms', lowered);
    return functionNames(readObject(lowered));
  };
  const always = ['always', 'branches_deep', 'loops_deep', 'uncalled'];
  assert.deepEqual(names(true, true), functionNames(readObject(bytes)));
  const deeper = ['deepest', 'only_deep'];
  assert.deepEqual(names(true, false), [...always, ...deeper, 'global_deep'].sort());
  assert.deepEqual(names(false, true), [...always, ...deeper, 'callback'].sort());
  assert.deepEqual(names(false, false), always);
});

test('programs that will not be loaded go, with what only they called', { skip }, () => {
  const lifted = lift(programFixture('subprograms.o'));
  const programs = new Set(['loops_deep']);
  const bytes = lower(specialise(lifted, new Map([['shallow', true]]), { programs }));
  const names = ['callback', 'deepest', 'loops_deep', 'only_deep', 'uncalled'];
  assert.deepEqual(functionNames(readObject(bytes)), names);
  assert.deepEqual(Object.keys(kernelView('subprograms', bytes).programs), ['loops_deep']);
});

test('a program that a map holds stays', { skip }, () => {
  const lifted = lift(programFixture('kinds.o'));
  const programs = new Set(['first']);
  const bytes = lower(specialise(lifted, new Map([['key', true]]), { programs }));
  assert.deepEqual(Object.keys(kernelView('kinds', bytes).programs), ['first', 'tail']);
});

test('CO-RE, kconfig, ksyms and initialised maps survive in every variant', { skip }, () => {
  for (const on of [false, true]) {
    const { programs, maps } = kernelView(
      'kinds',
      specialised(programFixture('kinds.o'), new Map([['key', on]])),
    );
    assert.deepEqual(Object.keys(programs), ['first', 'on_switch', 'tail']);
    assert.ok((maps.first?.length ?? 0) > 0);
  }
});

test('the lifted object is left as it was', () => {
  const bytes = fixture('branches.o');
  const lifted = lift(bytes);
  for (const number of [0, 63, 21]) {
    const vector = vectorOf(BRANCH_KEYS, number);
    assert.deepEqual(lower(specialise(lifted, vector)), specialised(bytes, vector));
  }
  assert.ok(Buffer.compare(lower(lifted), bytes) === 0);
});

test('values of keys that the object does not have mean nothing', () => {
  const bytes = specialised(fixture('branches.o'), new Map([['nobody', true]]));
  assert.equal(readObject(bytes).keys.length, BRANCH_KEYS.length);
});

test('deciding keys one after the other gives what deciding them at once gives', () => {
  const lifted = lift(fixture('branches.o'));
  const vector = vectorOf(BRANCH_KEYS, 0);
  const stepwise = [...vector].reduce(
    (so, [key, on]) => specialise(so, new Map([[key, on]])),
    lifted,
  );
  const sizes = (bytes: Uint8Array) => readObject(bytes).functions.map(({ length }) => length);
  assert.deepEqual(sizes(lower(stepwise)), sizes(specialised(fixture('branches.o'), vector)));
});

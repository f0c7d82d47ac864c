import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { fixture } from '#agent/object/testdata/fixtures.ts';
import { lift } from '#agent/program/lift.ts';
import { lower } from '#agent/program/lower.ts';
import { lowerDynamic } from '#agent/program/lower-dynamic.ts';
import { exampleObject } from '../../../examples/example-object.ts';
import { inspectObject } from './inspect-object.ts';

const guard = () => inspectObject(readFileSync(exampleObject('guard')));

test('programs with what they reach', () => {
  const { programs } = guard();
  assert.deepEqual(
    programs.map(({ name, section, sites }) => [name, section, sites]),
    [
      ['guard_xdp', 'xdp', 5],
      ['guard_tc', 'tc', 3],
    ],
  );
  const { programs: branches } = inspectObject(fixture('branches.o'));
  const reached = branches.map(({ name, subprograms }) => [name, [...subprograms].sort()]);
  assert.deepEqual(Object.fromEntries(reached), {
    mixed: ['global_sub', 'local_sub'],
    inlined_again: [],
    shares_alpha: [],
    calls_back: ['each'],
    without_branches: [],
  });
});

test('keys with their sites, polarity and source', () => {
  const { keys } = guard();
  const source = readFileSync(new URL('../../../examples/guard/guard.bpf.c', import.meta.url))
    .toString()
    .split('\n');
  assert.deepEqual(
    keys.map(({ name, declared, sites }) => [name, declared, sites.length]),
    [
      ['count_protocols', true, 2],
      ['drop_icmp', false, 2],
      ['drop_udp', false, 2],
      ['drop_fragments', false, 1],
      ['drop_sources', false, 1],
    ],
  );
  for (const { name, sites } of keys) {
    for (const { branch, programs } of sites) {
      assert.deepEqual(programs, [branch.function]);
      assert.equal(branch.inverse, name === 'count_protocols');
      assert.match(branch.source?.file ?? '', /guard\.bpf\.c$/);
      const line = source[(branch.source?.line ?? 0) - 1] ?? '';
      assert.ok(line.includes(`bpf_static_branch_`) && line.includes(`(&${name})`), line);
    }
  }
});

test('a site of a subprogram belongs to every program that reaches it', () => {
  const { keys } = inspectObject(fixture('branches.o'));
  const callback = keys.find(({ name }) => name === 'callback_key');
  assert.deepEqual(
    callback?.sites.map(({ branch, programs }) => [branch.function, programs]),
    [['each', ['calls_back']]],
  );
});

test('sizes: bytes of what the form of an object holds, subprograms included', () => {
  const bytes = readFileSync(exampleObject('guard'));
  for (const { name, bytes: sizes, subprograms } of guard().programs) {
    assert.deepEqual(subprograms, ['read_packet']);
    const lowered = lift(lower(lowerDynamic(lift(bytes)))).spec.functions;
    const parts = lowered.filter((fn) => fn.name === name || subprograms.includes(fn.name));
    assert.equal(
      sizes.dynamic,
      parts.reduce((sum, fn) => sum + fn.bytes.length, 0),
    );
    assert.ok(Number(sizes.dynamic) > Number(sizes.declared));
    assert.ok(Number(sizes.declared) > Number(sizes.allOff), 'count_protocols is declared on');
  }
});

test('an object without keys is no error', () => {
  const { keys, programs, problems } = inspectObject(fixture('no-keys.o'));
  assert.deepEqual([keys, problems], [[], []]);
  for (const { bytes } of programs) assert.equal(bytes.allOff, bytes.dynamic);
});

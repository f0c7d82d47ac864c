import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { closest } from './closest.ts';

const KEYS = ['net.drop_icmp', 'net.drop_udp', 'net.count', 'trace.sys', 'a', 'b'];

test('names that a slip of the finger, or a part left out, may have meant', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['net.drop_icm', ['net.drop_icmp']],
    ['net.dorp_icmp', ['net.drop_icmp']],
    ['net-drop-icmp', ['net.drop_icmp']],
    ['NET.COUNT', ['net.count']],
    ['drop_udp', ['net.drop_udp']],
    ['trace', ['trace.sys']],
    ['net', ['net.drop_icmp', 'net.drop_udp', 'net.count']],
    ['net.drop_tcp', ['net.drop_icmp', 'net.drop_udp']],
    ['net.allow_icmp', []],
    ['c', []],
    ['', []],
  ];
  for (const [word, names] of cases) assert.deepEqual(closest(word, KEYS), names, word);
  assert.deepEqual(closest('guard_xdp', ['guard/guard_xdp', 'stat/sysstat']), ['guard/guard_xdp']);
  assert.deepEqual(closest('web-2', ['web-1.example.org', 'web-2.example.org']), [
    'web-2.example.org',
  ]);
  assert.equal(closest('ne', ['ne.a', 'ne.b', 'ne.c', 'ne.d', 'ne.e']).length, 3);
});

test('one letter more, less, or other than it is, is always seen', () => {
  const name = fc.stringMatching(/^[a-z]{4,12}(\.[a-z]{1,6})?$/);
  const slip = fc.record({ at: fc.nat(), kind: fc.constantFrom('more', 'less', 'other', 'swap') });
  fc.assert(
    fc.property(name, slip, (right, { at, kind }) => {
      const place = at % (right.length - 1);
      const [before, letter, next] = [right.slice(0, place), right[place], right[place + 1]];
      const typed = {
        more: `${before}_${right.slice(place)}`,
        less: before + right.slice(place + 1),
        other: `${before}_${right.slice(place + 1)}`,
        swap: before + next + letter + right.slice(place + 2),
      }[kind];
      assert.deepEqual(closest(typed, [right]), [right]);
    }),
  );
});

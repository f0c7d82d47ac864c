import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SkeinError } from '#common/errors.ts';
import { readObject } from '../object/read-object.ts';
import { fixture } from '../object/testdata/fixtures.ts';
import type { CounterConfig } from './counter-config.ts';
import { CounterResolver } from './resolve-counter.ts';

const object = readObject(fixture('counters.o'));
const resolver = new CounterResolver(object, '/a.o');
const family = { metric: 'a_total', help: 'Some.' };
const resolve = (config: Omit<CounterConfig, 'metric' | 'help'>) =>
  resolver.resolve({ ...family, ...config }, 'c');
const index = { label: 'which', values: { low: 0, high: 2 } };

describe('a counter in a map', () => {
  const place = (config: Omit<CounterConfig, 'metric' | 'help'>) => {
    const { map, samples } = resolve(config);
    return [map, ...samples.map((sample) => sample.place)];
  };

  it('is a member of the value, one series for each entry that is named', () => {
    assert.deepEqual(resolve({ map: 'shared', field: 'fives', index }), {
      ...family,
      label: 'which',
      map: 'shared',
      samples: [
        { value: 'low', place: { index: 0, offset: 0, size: 4 } },
        { value: 'high', place: { index: 2, offset: 0, size: 4 } },
      ],
    });
  });

  it('is found behind typedefs, qualifiers, and in members with and without a name', () => {
    const only = { label: 'which', values: { high: 2 } };
    const at = (field: string) => place({ map: 'shared', field, index: only })[1];
    assert.deepEqual(at('sevens'), { index: 2, offset: 8, size: 8 });
    assert.deepEqual(at('inner.elevens'), { index: 2, offset: 28, size: 4 });
  });

  it('is the whole value, where that is a number', () => {
    assert.deepEqual(place({ map: 'single' }), ['single', { index: 0, offset: 0, size: 8 }]);
  });

  it('is at an offset, where the object says no more', () => {
    const narrow = { map: 'untyped', offset: 8, bytes: 4 } as const;
    assert.deepEqual(place(narrow), ['untyped', { index: 0, offset: 8, size: 4 }]);
    assert.deepEqual(place({ map: 'untyped', offset: 0 })[1], { index: 0, offset: 0, size: 8 });
  });
});

describe('a counter in a variable', () => {
  it('is read from the map of its section', () => {
    const of = (config: Omit<CounterConfig, 'metric' | 'help'>) => {
      const { map, label, samples } = resolve(config);
      assert.equal(label, undefined);
      return [map, samples];
    };
    const sample = (offset: number, size: 4 | 8) => [
      { value: undefined, place: { index: 0, offset, size } },
    ];
    const at = (name: string) =>
      object.symbols.find((symbol) => symbol.name === name)?.offset ?? -1;
    assert.deepEqual(of({ variable: 'thirteens' }), ['.data', sample(at('thirteens'), 8)]);
    assert.deepEqual(of({ variable: 'seventeens' }), ['.bss', sample(at('seventeens'), 4)]);
    const elevens = of({ variable: 'total', field: 'inner.elevens' });
    assert.deepEqual(elevens, ['.bss', sample(at('total') + 28, 4)]);
  });
});

describe('a counter that the object does not have is refused, and the field named', () => {
  const refused: readonly (readonly [Omit<CounterConfig, 'metric' | 'help'>, RegExp])[] = [
    [
      { map: 'share', index },
      /^c\.map: \/a\.o has no map "share"; it has: shared, single, untyped, hash$/,
    ],
    [
      { map: 'hash', index },
      /^c\.map: map "hash" is of type lru_hash; counters are read from an array or a percpu_array$/,
    ],
    [
      { map: 'shared', index },
      /^c: the value of map "shared" is no number; its members: fives, level, /,
    ],
    [
      { map: 'shared', field: 'fifes', index },
      /^c\.field: the value of map "shared" has no member "fifes"; it has: fives, level, inner, packed, words, sevens, name$/,
    ],
    [
      { map: 'shared', field: 'inner', index },
      /^c\.field: "inner" of the value of map "shared" is no number; its members: flags, elevens$/,
    ],
    [
      { map: 'shared', field: 'inner.tens', index },
      /^c\.field: "inner" of the value of map "shared" has no member "tens"; it has: flags, elevens$/,
    ],
    [
      { map: 'shared', field: 'fives.x', index },
      /^c\.field: "fives" of .* has no members, so none named "x"$/,
    ],
    [
      { map: 'shared', field: 'inner.flags', index },
      /^c\.field: "inner\.flags" of .* is a bit-field$/,
    ],
    [
      { map: 'shared', field: 'level', index },
      /^c\.field: "level" of .* is not an unsigned number of 4 or 8 bytes$/,
    ],
    [
      { map: 'shared', field: 'words', index },
      /^c\.field: "words" of .* is not an unsigned number/,
    ],
    [{ map: 'shared', field: 'name', index }, /^c\.field: "name" of .* is not an unsigned number/],
    [
      { map: 'shared', field: 'packed.late', index },
      /^c\.field: "packed\.late" of .* is not aligned to its 8 bytes$/,
    ],
    [{ map: 'shared', field: 'fives' }, /^c\.index: missing: map "shared" has 3 entries$/],
    [
      { map: 'shared', field: 'fives', index: { label: 'which', values: { low: 0, far: 3 } } },
      /^c\.index\.values\.far: map "shared" has entries 0 to 2$/,
    ],
    [{ map: 'untyped' }, /^c\.map: map "untyped" names no type of its values: give an offset$/],
    [{ map: 'untyped', offset: 8 }, /^c\.offset: values of map "untyped" have 12 bytes$/],
    [{ map: 'untyped', offset: 6, bytes: 4 }, /^c\.offset: not a multiple of 4 bytes$/],
    [
      { variable: 'fourteens' },
      /^c\.variable: \/a\.o has no writable global variable "fourteens"; it has: .*\bthirteens\b/,
    ],
    [
      { variable: 'limit' },
      /^c\.variable: \/a\.o has no writable global variable "limit"; it has: /,
    ],
    [{ variable: 'plain' }, /^c: variable "plain" is not an unsigned number of 4 or 8 bytes$/],
    [
      { variable: 'total', field: 'tens' },
      /^c\.field: variable "total" has no member "tens"; it has: fives, /,
    ],
  ];
  for (const [config, message] of refused) {
    it(JSON.stringify(config), () => {
      assert.throws(
        () => resolve(config),
        (error) => {
          assert.ok(error instanceof SkeinError);
          assert.equal(error.code, 'SKEIN_CONFIG');
          assert.match(error.message, message);
          return true;
        },
      );
    });
  }

  it('an object without types', () => {
    const bare = new CounterResolver(readObject(fixture('branches-no-debug.o')), '/b.o');
    const config = { ...family, variable: 'runs' };
    assert.throws(
      () => bare.resolve(config, 'c'),
      /^SkeinError: c: \/b\.o has no types: compile it with -g/,
    );
  });
});

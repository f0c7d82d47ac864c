import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  LABEL_KEY,
  LABEL_VALUE,
  type Labels,
  matches,
  normaliseSelector,
  parseSelector,
} from './selector.ts';

const labels: Labels = { zone: 'a', tier: 'web', 'example.com/role': 'x', empty: '', in: 'y' };

test('selectors that match and selectors that do not', () => {
  const cases: [string, boolean][] = [
    ['', true],
    ['  ', true],
    ['zone=a', true],
    ['zone==a', true],
    [' zone = a ', true],
    ['zone=b', false],
    ['zone!=a', false],
    ['zone!=b', true],
    ['missing!=b', true],
    ['missing=b', false],
    ['missing=', false],
    ['empty=', true],
    ['empty!=', false],
    ['zone', true],
    ['!zone', false],
    ['! missing', true],
    ['missing', false],
    ['zone in (b,a)', true],
    ['zone in(a)', true],
    ['zone notin (a,b)', false],
    ['missing notin (a)', true],
    ['empty in (,x)', true],
    ['empty in ()', true],
    ['zone=a,tier=web', true],
    ['zone=a , tier=db', false],
    ['example.com/role=x', true],
    ['in in (y)', true],
    ['in', true],
    ['in=y,notin!=z', true],
    ['toString', false],
    ['constructor!=x', true],
  ];
  for (const [text, expected] of cases) {
    assert.equal(matches(parseSelector(text), labels), expected, text);
  }
});

test('what does not parse says where', () => {
  const cases: [string, RegExp][] = [
    [',', /expected a label key, found "," at column 1/],
    ['a,', /expected a label key, found the end/],
    ['a,,b', /found "," at column 3/],
    ['a=(', /expected a label value, found "\(" at column 3/],
    ['a = = b', /found "=" at column 5/],
    ['a in b', /expected "\(", found "b" at column 6/],
    ['a in (b', /expected "\)", found the end/],
    ['a b', /expected a comma or the end, found "b" at column 3/],
    ['!a=b', /found "=" at column 3/],
    ['a>1', /expected a label key/],
    ['-a', /expected a label key/],
    ['a=-b', /expected a label value/],
    [`a=${'x'.repeat(64)}`, /expected a label value/],
    ['zone=ä', /expected a label value/],
  ];
  for (const [text, message] of cases) {
    assert.throws(() => parseSelector(text), { code: 'SKEIN_BAD_SELECTOR', message }, text);
  }
});

test('a host is named by its whole name, however long', () => {
  const host = `${'a'.repeat(60)}.${'b'.repeat(60)}.example`;
  assert.ok(matches(parseSelector(`host=${host}`), { host }));
  assert.ok(matches(parseSelector(`host in (x,${host})`), { host }));
  assert.throws(() => parseSelector(`zone=${host}`), { code: 'SKEIN_BAD_SELECTOR' });
});

const key = fc.oneof(
  fc.constantFrom('in', 'notin', 'a', 'example.com/x'),
  fc.stringMatching(LABEL_KEY),
);
const value = fc.oneof(fc.constantFrom('', 'in', 'b'), fc.stringMatching(LABEL_VALUE));
const requirement = fc.oneof(
  fc.tuple(key, fc.constantFrom('=', '==', '!=', ' = '), value).map((parts) => parts.join('')),
  fc
    .tuple(key, fc.constantFrom('in', 'notin'), fc.array(value, { minLength: 1, maxLength: 4 }))
    .map(([k, op, values]) => `${k} ${op} (${values.join(', ')})`),
  fc.tuple(fc.constantFrom('', '!', '! '), key).map((parts) => parts.join('')),
);
const selector = fc.array(requirement, { maxLength: 5 }).map((parts) => parts.join(' , '));

test('the normal form means the same, and is its own normal form', () => {
  fc.assert(
    fc.property(selector, fc.dictionary(key, value), (text, some) => {
      const normal = normaliseSelector(text);
      assert.equal(matches(parseSelector(normal), some), matches(parseSelector(text), some));
      assert.equal(normaliseSelector(normal), normal);
    }),
  );
  assert.equal(normaliseSelector('b, a in (x,x)'), normaliseSelector('a==x ,b'));
});

test('any text parses or is refused with the one code, quickly', () => {
  const pieces = fc.constantFrom(
    'a',
    '=',
    '!',
    '(',
    ')',
    ',',
    ' ',
    'in',
    'notin',
    '\t',
    'ä',
    '.',
    '/',
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(pieces).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(text, (anything) => {
      try {
        matches(parseSelector(anything), labels);
      } catch (error) {
        assert.equal(Reflect.get(Object(error), 'code'), 'SKEIN_BAD_SELECTOR');
      }
    }),
  );
  const start = performance.now();
  assert.throws(() => parseSelector('a.'.repeat(50_000)));
  assert.ok(performance.now() - start < 1_000);
});

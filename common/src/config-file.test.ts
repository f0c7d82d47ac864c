import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { parseConfig, readConfigFile } from './config-file.ts';

const schema = z.strictObject({
  host: z.string(),
  nats: z.strictObject({ servers: z.array(z.string()), port: z.int().default(1) }),
  labels: z.record(z.string().regex(/^[a-z0-9]+$/, 'not a label'), z.string()).optional(),
});
const good = 'host: a\nnats:\n  servers: [b]\n';

test('a good file, with defaults', () => {
  assert.deepEqual(parseConfig(good, 'f', schema), {
    host: 'a',
    nats: { servers: ['b'], port: 1 },
  });
});

test('each fault is one line that names file, line and field', () => {
  const cases: [string, RegExp][] = [
    ['', /^f: host: missing; nats: missing$/],
    ['# only a comment', /^f: host: /],
    ['- 1', /^f: \(top level\): /],
    [`${good}hots: b`, /^f: line 4, hots: Unrecognized key/],
    [good.replace('[b]', '[b, 7]'), /^f: line 3, nats\.servers\.1: /],
    [`${good}  prot: 1`, /^f: line 4, nats\.prot: /],
    ['host: a\nnats:\n  port: 1\n', /^f: line 2, nats\.servers: missing$/],
    [good.replace('a', '5'), /^f: line 1, host: /],
    [good.replace('a', '5').replace('b', '{}'), /line 1, host: .*; line 3, nats\.servers\.0: /],
    ['host: [', /^f:\d+: /],
    ['host: a\nhost: b\n', /^f:2: the field is there already$/],
    ['a: b: c', /^f:1: /],
    ['host: *gone', /^f: .*gone/],
    [
      `a: &a [x]\n${'bcdefghij'.replace(/./g, (c, i) => `${c}: &${c} [${`*${'abcdefghi'[i]},`.repeat(9)}]\n`)}`,
      /^f: .*alias/,
    ],
    ['host: a\n---\nhost: b\n', /^f:2: more than one document$/],
    ['host: a\n? [b]\n: c', /^f:2: a field must be named by text$/],
    ['host: !hots a', /^f:1: Unresolved tag: !hots$/],
    [`${good}labels: { A: b }`, /^f: line 4, labels\.A: not a label$/],
  ];
  for (const [text, message] of cases) {
    assert.throws(
      () => parseConfig(text, 'f', schema),
      (error: Error) => {
        assert.equal(Reflect.get(error, 'code'), 'SKEIN_CONFIG', text);
        assert.match(error.message, message);
        assert.ok(!error.message.includes('\n'));
        return true;
      },
    );
  }
});

test('names of fields are text, however they look', () => {
  const { labels } = parseConfig(`${good}labels: { 80: http, true: '' }`, 'f', schema);
  assert.deepEqual(labels, { 80: 'http', true: '' });
});

test('a file that cannot be read', () => {
  assert.throws(() => readConfigFile('/nowhere/f', schema), {
    code: 'SKEIN_CONFIG',
    message: 'cannot read /nowhere/f (ENOENT)',
    remedy: 'Name a configuration file that is there and that this user may read.',
  });
});

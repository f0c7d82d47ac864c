import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLoopback, parseListen } from './listen.ts';

test('places to listen on, and whether a network reaches them', () => {
  const cases: [string, ReturnType<typeof parseListen>, boolean][] = [
    ['127.0.0.1:0', { kind: 'tcp', host: '127.0.0.1', port: 0 }, true],
    ['127.9.9.9:80', { kind: 'tcp', host: '127.9.9.9', port: 80 }, true],
    ['localhost:1', { kind: 'tcp', host: 'localhost', port: 1 }, true],
    ['[::1]:1', { kind: 'tcp', host: '::1', port: 1 }, true],
    ['[::]:1', { kind: 'tcp', host: '::', port: 1 }, false],
    ['[::ffff:10.0.0.1]:1', { kind: 'tcp', host: '::ffff:10.0.0.1', port: 1 }, false],
    ['0.0.0.0:1', { kind: 'tcp', host: '0.0.0.0', port: 1 }, false],
    ['localhost.example:1', { kind: 'tcp', host: 'localhost.example', port: 1 }, false],
    ['unix:/run/skein', { kind: 'unix', path: '/run/skein' }, true],
    ['unix:', undefined, false],
    ['::1:80', undefined, false],
    ['[1.2.3.4]:80', undefined, false],
    ['host', undefined, false],
    ['host:65536', undefined, false],
    ['host:-1', undefined, false],
    [':80', undefined, false],
    ['', undefined, false],
  ];
  for (const [text, place, loopback] of cases) {
    assert.deepEqual(parseListen(text), place, text);
    assert.equal(isLoopback(text), loopback, text);
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveConnection } from './resolve.ts';

const none = { flags: {}, environment: {}, own: {}, embedded: {} };
const own = { server: 'own:1', tokenFile: '/own' };
const embedded = { server: 'embedded:1', tokenFile: '/embedded' };

test('flags go before environment before context files before the default', () => {
  const cases = [
    [{ ...none }, { server: '127.0.0.1:7443' }],
    [{ ...none, embedded }, embedded],
    [{ ...none, embedded, own }, own],
    [
      { ...none, embedded, own, environment: { server: 'env:1' } },
      { server: 'env:1', tokenFile: '/own' },
    ],
    [
      {
        ...none,
        own,
        environment: { server: 'env:1' },
        flags: { server: 'flag:1', caFile: '/ca' },
      },
      { server: 'flag:1', tokenFile: '/own', caFile: '/ca' },
    ],
    [{ ...none, own, environment: { server: '', tokenFile: undefined } }, own],
  ] as const;
  for (const [sources, expected] of cases) assert.deepEqual(resolveConnection(sources), expected);
});

test("the embedded default's token goes to no other server", () => {
  const connection = resolveConnection({ ...none, embedded, flags: { server: 'flag:1' } });
  assert.deepEqual(connection, { server: 'flag:1' });
});

test("a token of one's own may be used with the embedded default", () => {
  const connection = resolveConnection({ ...none, embedded, flags: { tokenFile: '/mine' } });
  assert.deepEqual(connection, { server: 'embedded:1', tokenFile: '/mine' });
});

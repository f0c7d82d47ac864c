import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createUser } from 'nkeys.js';
import { startNatsServer } from '../../test/support/nats-server.ts';
import { connectionOptions, connectNats, natsConfig, natsConfigIn } from './nats.ts';

test('which credentials go together', () => {
  const servers = ['nats://a'];
  const cases: [object, boolean][] = [
    [{}, true],
    [{ user: 'u', passwordFile: 'f' }, true],
    [{ nkeySeedFile: 'f' }, true],
    [{ user: 'u' }, false],
    [{ passwordFile: 'f' }, false],
    [{ user: 'u', passwordFile: 'f', nkeySeedFile: 'g' }, false],
    [{ nkeySeedFile: 'f', credentialsFile: 'g' }, false],
    [{ servers: [] }, false],
    [{ password: 'never in the file' }, false],
  ];
  for (const [more, fine] of cases) {
    assert.equal(natsConfig.safeParse({ servers, ...more }).success, fine, JSON.stringify(more));
  }
});

test('files are relative to the configuration file', () => {
  const config = natsConfigIn('/etc/skein', {
    servers: ['a'],
    nkeySeedFile: 'seed',
    tls: { caFile: '/ca.pem', keyFile: '../k.pem' },
  });
  assert.deepEqual(config, {
    servers: ['a'],
    nkeySeedFile: '/etc/skein/seed',
    tls: { caFile: '/ca.pem', keyFile: '/etc/k.pem' },
  });
});

test('connects with a password or an nkey; without them it says why, and no secret', async () => {
  const user = createUser();
  const directory = mkdtempSync(join(tmpdir(), 'skein-nats-test-'));
  writeFileSync(join(directory, 'password'), 'secret\n');
  writeFileSync(join(directory, 'seed'), `${Buffer.from(user.getSeed())}\n`);
  const nats = await startNatsServer({
    config: `authorization { users = [ {user: u, password: secret}, {nkey: ${user.getPublicKey()}} ] }`,
  });
  const servers = [nats.url];
  const connectWith = async (config: object) => {
    const checked = natsConfigIn(directory, natsConfig.parse({ servers, ...config }));
    return connectNats(connectionOptions(checked, 'test', '_INBOX'));
  };
  try {
    for (const config of [{ user: 'u', passwordFile: 'password' }, { nkeySeedFile: 'seed' }]) {
      await (await connectWith(config)).close();
    }
    await assert.rejects(connectWith({}), { code: 'SKEIN_NATS_UNAVAILABLE' });
    await assert.rejects(connectWith({ nkeySeedFile: 'gone' }), {
      code: 'SKEIN_CONFIG',
      message: `nats.nkeySeedFile: cannot read ${join(directory, 'gone')} (ENOENT)`,
    });
    const withPassword = nats.url.replace('//', '//u:wrong-secret@');
    await assert.rejects(connectWith({ servers: [withPassword] }), (error: Error) => {
      assert.ok(!error.message.includes('wrong-secret'), error.message);
      return true;
    });
  } finally {
    await nats.stop();
    rmSync(directory, { recursive: true });
  }
});

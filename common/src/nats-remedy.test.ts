import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createUser } from 'nkeys.js';
import { makeCertificate } from '../../test/support/certificate.ts';
import { type NatsServer, startNatsServer } from '../../test/support/nats-server.ts';
import { connectionOptions, connectNats, natsConfig, natsConfigIn } from './nats.ts';

const directory = mkdtempSync(join(tmpdir(), 'skein-nats-remedy-'));
let locked: NatsServer;
let tls: NatsServer;
let plain: NatsServer;
before(async () => {
  for (const name of ['server', 'other']) makeCertificate(directory, name);
  writeFileSync(join(directory, 'text'), 'words\n');
  writeFileSync(join(directory, 'seed'), `${Buffer.from(createUser().getSeed())}\n`);
  locked = await startNatsServer({
    config: 'authorization { users = [ {user: u, password: secret} ] }',
  });
  const [cert, key] = [join(directory, 'server.pem'), join(directory, 'server-key.pem')];
  tls = await startNatsServer({ config: `tls { cert_file: "${cert}", key_file: "${key}" }` });
  plain = await startNatsServer();
});
after(async () => {
  for (const server of [locked, tls, plain]) await server.stop();
  rmSync(directory, { recursive: true });
});

async function connectTo({ port }: NatsServer, config: object) {
  const section = natsConfig.parse({ servers: [`nats://localhost:${port}`], ...config });
  const options = connectionOptions(natsConfigIn(directory, section), 'test', '_INBOX');
  await (await connectNats(options)).close();
}

test('a server that is there and does not take the connection is not to be started', async () => {
  const credentials = /^Correct nats\.user and nats\.passwordFile, /;
  const authority = /^Set nats\.tls\.caFile to the authority of the server’s certificate/;
  await connectTo(tls, { tls: { caFile: 'server.pem' } });
  const cases: [NatsServer, object, RegExp][] = [
    [locked, {}, credentials],
    [locked, { user: 'u', passwordFile: 'text' }, credentials],
    [locked, { nkeySeedFile: 'seed' }, credentials],
    [locked, { nkeySeedFile: 'text' }, credentials],
    [locked, { credentialsFile: 'text' }, credentials],
    [tls, { tls: { caFile: 'other.pem' } }, authority],
    [tls, {}, authority],
    [plain, { tls: {} }, /^Leave out nats\.tls, /],
  ];
  for (const [server, config, remedy] of cases) {
    await assert.rejects(connectTo(server, config), { code: 'SKEIN_NATS_UNAVAILABLE', remedy });
  }
});

test('files of nats.tls that cannot be used are an error of the configuration', async () => {
  const cases: [object, RegExp][] = [
    [{ caFile: 'gone' }, /^nats\.tls\.caFile: cannot read \S+gone \(ENOENT\)$/],
    [{ caFile: 'text' }, /^nats\.tls: .*PEM/],
    [{ certFile: 'text', keyFile: 'server-key.pem' }, /^nats\.tls: .*no start line/],
    [{ certFile: 'server.pem', keyFile: 'other-key.pem' }, /^nats\.tls: .*key values mismatch/],
  ];
  for (const [files, message] of cases) {
    await assert.rejects(connectTo(tls, { tls: files }), { code: 'SKEIN_CONFIG', message });
  }
  const half = { servers: ['a'], tls: { certFile: 'server.pem' } };
  assert.equal(natsConfig.safeParse(half).success, false);
});

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Harness, TOKEN } from '#controller/testing/harness.ts';
import { makeCertificate } from '../../../test/support/certificate.ts';
import { runSkein, spawnSkein } from '../testing/run-skein.ts';

/** The command against real controllers: plain, with TLS, and with TLS that asks for client certificates. */
let harness: Harness;
const ports = { plain: '', tls: '', mutual: '' };
before(async () => {
  harness = await Harness.start();
  writeFileSync(join(harness.directory, 'token'), TOKEN);
  for (const name of ['server', 'alice', 'mallory']) makeCertificate(harness.directory, name);
  const own = 'certFile: server.pem, keyFile: server-key.pem';
  const controllers = {
    plain: await harness.controller(),
    tls: await harness.controller({ tls: `{ ${own} }` }),
    mutual: await harness.controller({ tls: `{ ${own}, clientCaFile: alice.pem }` }),
  };
  for (const [kind, { address }] of Object.entries(controllers)) {
    Object.assign(ports, { [kind]: address.split(':').at(-1) });
  }
});
after(() => harness[Symbol.asyncDispose]());

const file = (name: string) => join(harness.directory, name);
const keyList = (environment: Record<string, string>, ...flags: string[]) =>
  runSkein(['key', 'list', '-o', 'json', ...flags], {
    SKEIN_TOKEN_FILE: file('token'),
    ...environment,
  });

test('a client certificate opens a controller that asks for one, however it is given', async () => {
  const server = `localhost:${ports.mutual}`;
  const [ca, cert, key] = [file('server.pem'), file('alice.pem'), file('alice-key.pem')];
  const byFlags = ['--server', server, '--ca-file', ca, '--cert-file', cert, '--key-file', key];
  const byEnvironment = {
    SKEIN_SERVER: server,
    SKEIN_CA_FILE: ca,
    SKEIN_CERT_FILE: cert,
    SKEIN_KEY_FILE: key,
  };
  const context = `server: ${server}\ncaFile: server.pem\ncertFile: alice.pem\nkeyFile: alice-key.pem\n`;
  writeFileSync(file('cli.yaml'), context);
  for (const finished of [
    await keyList({}, ...byFlags),
    await keyList(byEnvironment),
    await keyList({ SKEIN_CONFIG: file('cli.yaml') }),
  ]) {
    assert.equal(finished.code, 0, finished.stderr);
    assert.deepEqual(JSON.parse(finished.stdout), { keys: [] });
  }
});

test('a connection that TLS does not let come about says what is missing', async () => {
  const [ca, another] = [file('server.pem'), file('mallory.pem')];
  const shows = (name: string) => ({
    SKEIN_CERT_FILE: file(`${name}.pem`),
    SKEIN_KEY_FILE: file(`${name}-key.pem`),
  });
  const tls = { SKEIN_CA_FILE: ca };
  const cases: [keyof typeof ports, Record<string, string>, RegExp][] = [
    ['mutual', tls, /asks for a client certificate\. .*--cert-file and --key-file/],
    ['mutual', { ...tls, ...shows('mallory') }, /closed the connection.* tls\.clientCaFile/],
    ['mutual', {}, /closed the connection.* --ca-file/],
    ['tls', {}, /closed the connection.* --ca-file/],
    ['tls', { SKEIN_CA_FILE: another }, /self-signed certificate\. .*--ca-file/],
    ['plain', tls, /does not speak TLS\. .*--ca-file/],
  ];
  for (const [kind, environment, message] of cases) {
    const { code, stderr } = await keyList({
      SKEIN_SERVER: `localhost:${ports[kind]}`,
      ...environment,
    });
    assert.equal(code, 6, stderr);
    assert.match(stderr, /^error: SKEIN_CONTROLLER_UNAVAILABLE: controller at localhost:\d+: /);
    assert.match(stderr, message);
    assert.equal(stderr.split('\n').length, 2, stderr);
  }
});

test('a controller named by its IP address: no word but the error line', async () => {
  const { stderr } = await spawnSkein(['key', 'list'], {
    SKEIN_SERVER: `127.0.0.1:${ports.tls}`,
    SKEIN_CA_FILE: file('server.pem'),
    SKEIN_TOKEN_FILE: file('token'),
  });
  assert.match(
    stderr,
    /^error: [^\n]*certificate is for another name: .*127\.0\.0\.1.* --server.*\n$/,
  );
});

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { makeCertificate } from '../../../test/support/certificate.ts';
import { readCredentials } from './credentials.ts';

const directory = mkdtempSync(join(tmpdir(), 'skein-credentials-'));
after(() => rmSync(directory, { recursive: true }));
const { certificate, key } = makeCertificate(directory, 'alice');
const other = makeCertificate(directory, 'bob');
const text = join(directory, 'text');
writeFileSync(text, 'words\n');

test('what was named is read', () => {
  assert.deepEqual(readCredentials({}), {});
  assert.deepEqual(readCredentials({ tokenFile: text }), { token: 'words' });
  const ca = readFileSync(certificate);
  assert.deepEqual(readCredentials({ caFile: certificate }), { tls: { ca } });
  assert.deepEqual(
    readCredentials({ caFile: certificate, certFile: other.certificate, keyFile: other.key }),
    {
      tls: {
        ca,
        client: { certificate: readFileSync(other.certificate), key: readFileSync(other.key) },
      },
    },
  );
});

test('what does not go together, or is no PEM, is refused by name', () => {
  const pair = { caFile: certificate, certFile: certificate, keyFile: key };
  const gone = join(directory, 'gone');
  const cases: [Parameters<typeof readCredentials>[0], RegExp][] = [
    [{ ...pair, keyFile: undefined }, /^client certificate \S+alice\.pem has no key$/],
    [{ ...pair, certFile: undefined }, /^client key \S+alice-key\.pem has no certificate$/],
    [{ ...pair, caFile: undefined }, /alice\.pem is for TLS, which --ca-file asks for$/],
    [{ ...pair, keyFile: gone }, /^cannot read \S+gone \(ENOENT\)$/],
    [{ ...pair, certFile: gone }, /^cannot read \S+gone \(ENOENT\)$/],
    [{ ...pair, caFile: text }, /text holds no certificate in PEM$/],
    [{ ...pair, certFile: text }, /text holds no certificate in PEM$/],
    [{ ...pair, keyFile: text }, /text holds no private key in PEM$/],
    [{ ...pair, keyFile: other.key }, /alice\.pem and \S+bob-key\.pem are no pair$/],
  ];
  for (const [named, message] of cases) {
    assert.throws(() => readCredentials(named), { code: 'SKEIN_CONFIG', message });
  }
});

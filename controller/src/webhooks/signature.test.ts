import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSecret, signedHeaders } from './signature.ts';

test('signs id, timestamp and body', () => {
  const secret = parseSecret('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
  assert.ok(secret);
  const body = '{"test": 2432232314}';
  const time = new Date(1_614_265_330_999);
  // The example of the specification's libraries.
  assert.deepEqual(signedHeaders('msg_p5jXN8AQM9LWM0D4loKWxJek', time, body, secret), {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  });
});

test('a secret is whsec_ and base64 of 24 to 64 bytes', () => {
  const base64 = (length: number) => Buffer.alloc(length, 7).toString('base64');
  assert.equal(parseSecret(`whsec_${base64(24)}`)?.length, 24);
  assert.equal(parseSecret(`whsec_${base64(64)}`)?.length, 64);
  const bad = [base64(24), `whsec_${base64(23)}`, `whsec_${base64(65)}`, 'whsec_%%%%', ''];
  for (const text of bad) assert.equal(parseSecret(text), undefined, text);
});

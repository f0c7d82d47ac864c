import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createAccount, fromPublic, fromSeed } from 'nkeys.js';
import { generateSeed, signerFromSeed, verifierFromPublic } from './nkey.ts';

const data = fc.uint8Array({ maxLength: 300 });

test('signs and verifies as nkeys.js does, both ways', () => {
  fc.assert(
    fc.property(data, (bytes) => {
      const seed = generateSeed();
      const signer = signerFromSeed(seed);
      const reference = fromSeed(Buffer.from(seed));
      assert.equal(signer.publicKey, reference.getPublicKey());
      const signature = signer.sign(bytes);
      assert.deepEqual(Buffer.from(signature), Buffer.from(reference.sign(bytes)));
      assert.ok(fromPublic(signer.publicKey).verify(bytes, signature));
      assert.ok(verifierFromPublic(signer.publicKey).verify(bytes, reference.sign(bytes)));
    }),
    { numRuns: 20 },
  );
});

test('a changed message, a changed signature, and one of any length do not verify', () => {
  const signer = signerFromSeed(generateSeed());
  const verifier = verifierFromPublic(signer.publicKey);
  fc.assert(
    fc.property(data, fc.nat(), fc.uint8Array({ maxLength: 80 }), (bytes, at, anything) => {
      const signature = Buffer.from(signer.sign(bytes));
      assert.equal(verifier.verify(Buffer.concat([bytes, Buffer.of(0)]), signature), false);
      const bit = at % 512;
      signature[bit >> 3] = (signature[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.equal(verifier.verify(bytes, signature), false);
      assert.equal(verifier.verify(bytes, anything), false);
    }),
  );
});

test('what is no user key is refused, and a seed is never quoted', () => {
  const seed = generateSeed();
  const { publicKey } = signerFromSeed(seed);
  const account = createAccount();
  const flip = (text: string) =>
    text.slice(0, -3) + (text.at(-3) === 'A' ? 'B' : 'A') + text.slice(-2);
  const seeds = [
    '',
    'SU',
    publicKey,
    flip(seed),
    seed.toLowerCase(),
    `${seed}\n`,
    ` ${seed}`,
    seed.slice(0, -4),
  ];
  // U+0141 has the low byte of "A".
  for (const text of [
    ...seeds,
    seed.replaceAll('A', '\u0141').concat('\u0141'),
    Buffer.from(account.getSeed()).toString(),
  ]) {
    assert.throws(
      () => signerFromSeed(text),
      (error: Error) => {
        assert.equal(Reflect.get(error, 'code'), 'SKEIN_CONFIG');
        assert.ok(text.length < 10 || !error.message.includes(text.trim()));
        return true;
      },
    );
  }
  for (const text of [
    '',
    'U',
    seed,
    flip(publicKey),
    publicKey.toLowerCase(),
    account.getPublicKey(),
  ]) {
    assert.throws(() => verifierFromPublic(text), { code: 'SKEIN_CONFIG' });
  }
});

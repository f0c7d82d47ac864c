import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { createUser, fromPublic, fromSeed } from 'nkeys.js';
import { SkeinError } from './errors.ts';

/**
 * Ed25519 keys in NATS's nkey text form (user keys: public "U...", seed "SU..."). nkeys.js makes and
 * checks the text; the arithmetic is OpenSSL's, which is a hundred times faster than nkeys.js's portable one
 * and on the path of every flip.
 */
export interface Signer {
  readonly publicKey: string;
  sign(data: Uint8Array): Uint8Array;
}

export interface Verifier {
  readonly publicKey: string;
  verify(data: Uint8Array, signature: Uint8Array): boolean;
}

/** A new random seed. */
export function generateSeed(): string {
  return Buffer.from(createUser().getSeed()).toString('ascii');
}

/** @throws SkeinError SKEIN_CONFIG when the text is no user seed; the seed is never quoted. */
export function signerFromSeed(seed: string): Signer {
  const publicKey = checked(seed, 'SU', 'signing seed', (bytes) => fromSeed(bytes).getPublicKey());
  const key = privateKey(decodeBase32(seed).subarray(2, 34));
  return { publicKey, sign: (data) => sign(null, data, key) };
}

/** @throws SkeinError SKEIN_CONFIG when the text is no public user nkey. */
export function verifierFromPublic(text: string): Verifier {
  checked(text, 'U', `public key "${text}"`, () => fromPublic(text).getPublicKey());
  const key = createPublicKey({
    key: Buffer.concat([SPKI_PREFIX, decodeBase32(text).subarray(1, 33)]),
    format: 'der',
    type: 'spki',
  });
  return { publicKey: text, verify: (data, signature) => verify(null, data, key, signature) };
}

function checked(
  text: string,
  prefix: string,
  what: string,
  read: (bytes: Uint8Array) => string,
): string {
  try {
    // 'ascii' would fold other letters onto A-Z, and what nkeys.js checked would not be what is decoded here.
    if (text.startsWith(prefix)) return read(Buffer.from(text, 'utf8'));
  } catch (cause) {
    throw new SkeinError('SKEIN_CONFIG', `${what} does not decode`, { cause });
  }
  throw new SkeinError('SKEIN_CONFIG', `${what} does not begin with "${prefix}"`);
}

/** DER headers around the 32 raw bytes; RFC 8410, sections 4 and 7. */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

function privateKey(raw: Uint8Array): KeyObject {
  return createPrivateKey({
    key: Buffer.concat([PKCS8_PREFIX, raw]),
    format: 'der',
    type: 'pkcs8',
  });
}

/** RFC 4648 base32 without padding; the text was checked by nkeys.js already. */
function decodeBase32(text: string): Uint8Array {
  const bytes = new Uint8Array(Math.floor((text.length * 5) / 8));
  let buffer = 0;
  let bits = 0;
  let next = 0;
  for (const character of text) {
    buffer = ((buffer << 5) | 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(character)) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes[next++] = buffer >> bits;
    }
  }
  return bytes;
}

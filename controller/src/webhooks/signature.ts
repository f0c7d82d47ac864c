import { createHmac } from 'node:crypto';

/**
 * The headers that prove to a receiver who sent a delivery, and when, by the Standard Webhooks specification 1.0:
 * HMAC-SHA256 over `id.timestamp.body`. A receiver refuses old timestamps and ids that it has seen.
 *
 * @param id the same for each attempt
 */
export function signedHeaders(
  id: string,
  time: Date,
  body: string,
  secret: Uint8Array,
): Readonly<Record<string, string>> {
  const timestamp = Math.floor(time.getTime() / 1000).toString();
  const signature = createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest();
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${signature.toString('base64')}`,
  };
}

const PREFIX = 'whsec_';

/**
 * The bytes of a secret as the specification writes it: `whsec_` and base64 of 24 to 64 bytes.
 *
 * @returns undefined when it is not one
 */
export function parseSecret(text: string): Uint8Array | undefined {
  if (!text.startsWith(PREFIX)) return undefined;
  const bytes = Buffer.from(text.slice(PREFIX.length), 'base64');
  const isCanonical = bytes.toString('base64') === text.slice(PREFIX.length);
  return isCanonical && bytes.length >= 24 && bytes.length <= 64 ? bytes : undefined;
}

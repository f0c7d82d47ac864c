import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

/** The content of a file that only its owner may read; made on first use. */
export function secretFile(path: string, make: () => string = randomToken): string {
  if (!existsSync(path)) writeFileSync(path, `${make()}\n`, { mode: 0o600 });
  return readFileSync(path, 'utf8').trim();
}

const randomToken = (): string => randomBytes(24).toString('base64url');

/** As Standard Webhooks writes it. */
export const webhookSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`;

export const sha256Hex = (text: string): string => createHash('sha256').update(text).digest('hex');

import { readConfigured } from '#common/configured-file.ts';
import { SkeinError } from '#common/errors.ts';
import type { ControllerConfig } from '../config.ts';
import type { Webhook } from './courier.ts';
import { parseSecret } from './signature.ts';

/**
 * The webhooks of the configuration, with their secrets.
 *
 * @throws SkeinError SKEIN_CONFIG naming the field
 */
export function readWebhooks(configured: ControllerConfig['webhooks']): Webhook[] {
  return configured.map(({ name, url, secretFile, timeoutSeconds }, index) => {
    const field = `webhooks[${index}].secretFile`;
    const secret = parseSecret(readConfigured(secretFile, { field }).toString().trim());
    if (!secret) {
      throw new SkeinError('SKEIN_CONFIG', `${field}: ${secretFile} holds no webhook secret`, {
        remedy: 'Write "whsec_" and 24 to 64 random bytes in base64.',
      });
    }
    return { name, url, secret, timeoutMs: timeoutSeconds * 1_000 };
  });
}

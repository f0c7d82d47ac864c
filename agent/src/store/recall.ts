import { openDesired } from '#common/envelope.ts';
import { toSkeinError } from '#common/errors.ts';
import type { Logger } from '#common/log.ts';
import type { Verifier } from '#common/nkey.ts';
import type { SignedState } from '../keys/desired-table.ts';
import type { LastKnownGood } from './last-known-good.ts';

/**
 * Last-known-good state, verified anew: the file proves nothing by lying on this disk. What is corrupt, or
 * signed by a key no longer trusted, is logged and left out.
 */
export async function recall(
  store: LastKnownGood,
  trusted: readonly Verifier[],
  logger: Logger,
): Promise<readonly SignedState[]> {
  let envelopes: readonly Uint8Array[];
  try {
    envelopes = await store.load();
  } catch (thrown) {
    logger.error(toSkeinError(thrown).line);
    return [];
  }
  return envelopes.flatMap((envelope) => {
    try {
      return [{ state: openDesired(envelope, trusted, store.path), envelope }];
    } catch (thrown) {
      logger.warn(toSkeinError(thrown).line);
      return [];
    }
  });
}

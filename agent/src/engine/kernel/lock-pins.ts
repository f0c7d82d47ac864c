import { setTimeout } from 'node:timers/promises';
import type { Helper } from '../../helper/helper.ts';
import { isBusy } from '../../helper/helper-error.ts';

/** The helper of an agent that was killed may have a load under way still, and ends after it. */
const DEADLINE_MS = 5_000;
const AGAIN_MS = 50;

/**
 * Keeps a second agent from taking pins for leftovers of its own, for as long as this helper runs.
 *
 * @throws SkeinError SKEIN_PIN_CONFLICT when another has them, and goes on having them
 */
export async function lockPins(helper: Helper, deadlineMs = DEADLINE_MS): Promise<void> {
  for (let waited = 0; ; waited += AGAIN_MS) {
    try {
      await helper.request('lockPins', {});
      return;
    } catch (thrown) {
      if (!isBusy(thrown) || waited >= deadlineMs) throw thrown;
    }
    await setTimeout(AGAIN_MS);
  }
}

import type { DesiredState } from '#common/desired.ts';
import { claimedGeneration, openDesired } from '#common/envelope.ts';
import type { Verifier } from '#common/nkey.ts';
import { RecordCache, type RecordCacheParts } from './record-cache.ts';

/** Every fleet key, tombstones included. What this controller did not sign is never served. */
export class KeyCache extends RecordCache<DesiredState> {
  constructor(verifier: Verifier, onRejected: RecordCacheParts<DesiredState>['onRejected']) {
    super({
      bucket: 'keys bucket',
      claim: claimedGeneration,
      open: (value, place) => openDesired(value, [verifier], place),
      nameOf: ({ name }) => name,
      onRejected,
    });
  }
}

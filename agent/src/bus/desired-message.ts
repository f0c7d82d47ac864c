import { type MsgHdrs, RepublishHeaders } from 'nats';
import { openDesired } from '#common/envelope.ts';
import { SkeinError } from '#common/errors.ts';
import type { Verifier } from '#common/nkey.ts';
import type { Rejection } from '../agent-bus.ts';
import type { SignedState } from '../keys/desired-table.ts';
import type { StreamPosition } from './gap-detector.ts';

export type OpenedMessage =
  | { readonly kind: 'state'; readonly signed: SignedState }
  | { readonly kind: 'rejected'; readonly rejection: Rejection; readonly why: string };

/** What KV puts on deletes and purges instead of a value. */
const KV_OPERATION = 'KV-Operation';

/**
 * Opens one entry of the keys bucket, republished or read.
 *
 * @param key the fleet key that the subject says it is about
 */
export function openMessage(
  key: string,
  data: Uint8Array,
  headers: MsgHdrs | undefined,
  trusted: readonly Verifier[],
): OpenedMessage {
  if (headers?.has(KV_OPERATION) && data.length === 0) {
    return rejected(
      'unsigned_delete',
      `${key}: a bare ${headers.get(KV_OPERATION)} proves nothing`,
    );
  }
  try {
    const state = openDesired(data, trusted, `desired state of ${key}`);
    if (state.name !== key) {
      return rejected('wrong_subject', `${key}: the signed state is of ${state.name}`);
    }
    return { kind: 'state', signed: { state, envelope: data } };
  } catch (thrown) {
    if (!(thrown instanceof SkeinError)) throw thrown;
    const unsigned = thrown.code === 'SKEIN_BAD_SIGNATURE';
    return rejected(unsigned ? 'bad_signature' : 'invalid', thrown.line);
  }
}

/** Where a republished message stands; undefined when it does not say so in plain numbers. */
export function positionOf(
  subject: string,
  headers: MsgHdrs | undefined,
): StreamPosition | undefined {
  const sequence = plainNumber(headers?.get(RepublishHeaders.Sequence));
  const lastSequence = plainNumber(headers?.get(RepublishHeaders.LastSequence));
  if (sequence === undefined || lastSequence === undefined) return undefined;
  return { subject, sequence, lastSequence };
}

function plainNumber(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,15}$/.test(text)) return undefined;
  return Number(text);
}

function rejected(rejection: Rejection, why: string): OpenedMessage {
  return { kind: 'rejected', rejection, why };
}

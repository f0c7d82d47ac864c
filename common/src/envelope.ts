import * as wire from '#proto/gen/skein/v1/desired.ts';
import { DESIRED_SIGNATURE_CONTEXT, FLEET_KEY_NAME } from '#proto/subjects.ts';
import type { DesiredState, Rule } from './desired.ts';
import { desiredFromWire, desiredToWire } from './desired-wire.ts';
import { SkeinError } from './errors.ts';
import type { Signer, Verifier } from './nkey.ts';
import { parseSelector } from './targeting/selector.ts';

/** Encodes and signs desired state, as stored in the keys bucket. */
export function sealDesired(state: DesiredState, signer: Signer): Uint8Array {
  const payload = wire.DesiredKey.encode(desiredToWire(state)).finish();
  return sealPayload(payload, DESIRED_SIGNATURE_CONTEXT, signer);
}

/**
 * Decodes desired state that one of `trusted` signed. Nothing of the payload is looked at before the signature holds.
 * That the state is of the fleet key under whose name the bytes were found is for the caller to check.
 *
 * @param place where the bytes came from, for messages
 * @throws SkeinError SKEIN_BAD_SIGNATURE; SKEIN_STORE_CORRUPT when a trusted signer sealed something invalid
 */
export function openDesired(
  bytes: Uint8Array,
  trusted: readonly Verifier[],
  place: string,
): DesiredState {
  const payload = openPayload(bytes, DESIRED_SIGNATURE_CONTEXT, trusted, place);
  const state = decode(
    () => desiredFromWire(wire.DesiredKey.decode(payload)),
    'SKEIN_STORE_CORRUPT',
    place,
  );
  assertValid(state, place);
  return state;
}

/** The generation that desired state claims to be, unverified: a reason to verify it or not to, and to nothing else. */
export function claimedGeneration(bytes: Uint8Array): bigint | undefined {
  try {
    return wire.DesiredKey.decode(wire.SignedEnvelope.decode(bytes).payload).generation;
  } catch {
    return undefined;
  }
}

/** @param context what the signature is for: one made for another purpose does not hold */
export function sealPayload(payload: Uint8Array, context: string, signer: Signer): Uint8Array {
  return wire.SignedEnvelope.encode({
    payload,
    signature: signer.sign(signedBytes(payload, context)),
    signer: signer.publicKey,
  }).finish();
}

/**
 * The payload, when one of `trusted` signed it for this purpose.
 *
 * @throws SkeinError SKEIN_BAD_SIGNATURE
 */
export function openPayload(
  bytes: Uint8Array,
  context: string,
  trusted: readonly Verifier[],
  place: string,
): Uint8Array {
  const envelope = decode(() => wire.SignedEnvelope.decode(bytes), 'SKEIN_BAD_SIGNATURE', place);
  const data = signedBytes(envelope.payload, context);
  // The signer's name is not under the signature. Bound to the key that verifies, it cannot be another.
  const signer = trusted.find((verifier) => verifier.publicKey === envelope.signer);
  if (!signer?.verify(data, envelope.signature)) {
    const claimed = /^[A-Z0-9]{1,64}$/.test(envelope.signer) ? envelope.signer : 'nobody';
    throw new SkeinError(
      'SKEIN_BAD_SIGNATURE',
      `${place}: not signed by a trusted controller (claims to be from ${claimed})`,
    );
  }
  return envelope.payload;
}

function signedBytes(payload: Uint8Array, context: string): Uint8Array {
  return Buffer.concat([Buffer.from(context), payload]);
}

function decode<T>(
  read: () => T,
  code: 'SKEIN_BAD_SIGNATURE' | 'SKEIN_STORE_CORRUPT',
  place: string,
): T {
  try {
    return read();
  } catch (cause) {
    const why = cause instanceof SkeinError ? cause.message : 'does not decode';
    throw new SkeinError(code, `${place}: ${why}`, { cause });
  }
}

function assertValid(state: DesiredState, place: string): void {
  const wrong = [
    [FLEET_KEY_NAME.test(state.name), 'name'],
    [state.generation > 0n, 'generation'],
    [state.rules.every(ruleIsValid), 'rules'],
    [state.expiry?.rules.every(ruleIsValid) ?? true, 'expiry.rules'],
  ].find(([fine]) => !fine);
  if (wrong) throw new SkeinError('SKEIN_STORE_CORRUPT', `${place}: invalid ${wrong[1]}`);
}

function ruleIsValid(rule: Rule): boolean {
  try {
    parseSelector(rule.selector);
    return true;
  } catch {
    return false;
  }
}

import { type SkeinError, toSkeinError } from '#common/errors.ts';
import type { SkeinClient } from '../client/skein-client.ts';
import type { Change } from './changes.ts';

/** What became of one change. */
export interface Outcome {
  readonly change: Change;
  /** checked: would be done; skipped: was not tried any more. */
  readonly result: 'done' | 'checked' | 'failed' | 'skipped';
  /** Of a key, once it is written. */
  readonly generation?: bigint;
  readonly error?: SkeinError;
}

interface ApplyOptions {
  readonly reason: string;
  readonly validateOnly: boolean;
}

/** Errors that every other object would meet too. */
const HOPELESS: readonly string[] = [
  'SKEIN_CONTROLLER_UNAVAILABLE',
  'SKEIN_NATS_UNAVAILABLE',
  'SKEIN_UNAUTHENTICATED',
];

/** Carries changes out, one after the other; what is refused stops none of the others. */
export async function* applyChanges(
  client: SkeinClient,
  changes: readonly Change[],
  options: ApplyOptions,
): AsyncGenerator<Outcome> {
  let isHopeless = false;
  for (const change of changes) {
    const outcome: Outcome = isHopeless
      ? { change, result: 'skipped' }
      : await applyChange(client, change, options);
    isHopeless ||= HOPELESS.includes(outcome.error?.code ?? '');
    yield outcome;
  }
}

async function applyChange(
  client: SkeinClient,
  change: Change,
  options: ApplyOptions,
): Promise<Outcome> {
  const result = options.validateOnly ? 'checked' : 'done';
  try {
    const generation = await carryOut(client, change, options);
    return { change, result, ...(generation === undefined ? {} : { generation }) };
  } catch (thrown) {
    return { change, result: 'failed', error: toSkeinError(thrown) };
  }
}

async function carryOut(
  client: SkeinClient,
  { kind, name, declared, standing }: Change,
  { reason, validateOnly }: ApplyOptions,
): Promise<bigint | undefined> {
  const etag = standing?.etag ?? '';
  if (declared?.kind === 'FleetKey') {
    const written = await client.applyKey({ name, ...declared.spec, etag, reason, validateOnly });
    return validateOnly ? undefined : written.desired.generation;
  }
  if (kind === 'FleetKey') {
    const deleted = await client.deleteKey({ name, etag, reason, validateOnly });
    return validateOnly ? undefined : deleted.desired.generation;
  }
  const request = { name, reason, validateOnly };
  if (declared) await client.control.setCohort({ ...request, selector: declared.spec.selector });
  else await client.control.deleteCohort(request);
  return undefined;
}

import type { Clock } from '#common/clock.ts';
import type { Logger } from '#common/log.ts';
import type { WebhookEvent } from './event.ts';
import { signedHeaders } from './signature.ts';

export interface Webhook {
  readonly name: string;
  readonly url: string;
  readonly secret: Uint8Array;
  readonly timeoutMs: number;
}

/** One event on its way to one webhook, as a durable queue hands it out: again and again until it is done. */
export interface Letter {
  /** The same for each attempt. */
  readonly id: string;
  readonly event: WebhookEvent;
  /** 1 for the first. */
  readonly attempt: number;
  done(): void;
  again(afterMs: number): void;
  /** Keeps it where an operator finds it, with the reason, and does not try again. */
  bury(reason: string): Promise<void>;
}

export interface CourierParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly fetch: typeof fetch;
  /** Per delivery: how it ended. */
  readonly count: (webhook: string, result: DeliveryResult) => void;
}

export const DELIVERY_RESULTS = ['delivered', 'failed', 'dead'] as const;
export type DeliveryResult = (typeof DELIVERY_RESULTS)[number];

/** The first wait, and the longest: 1 s, 2 s, 4 s, ... 5 min. */
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 300_000;
/** With the waits between them, a receiver has some 45 minutes to come back. */
export const MAX_ATTEMPTS = 16;

/** Takes one letter to its webhook: it is done, tried again later, or buried. Rejects only with what telling that throws. */
export async function carry(webhook: Webhook, letter: Letter, parts: CourierParts): Promise<void> {
  const { logger, count } = parts;
  const failure = await post(webhook, letter, parts);
  if (failure === undefined) {
    count(webhook.name, 'delivered');
    letter.done();
    return;
  }
  const where = { webhook: webhook.name, id: letter.id, attempt: letter.attempt, failure };
  count(webhook.name, 'failed');
  if (letter.attempt < MAX_ATTEMPTS) {
    logger.warn(where, 'webhook not delivered; trying again');
    letter.again(waitMs(letter.attempt));
    return;
  }
  try {
    await letter.bury(failure);
    count(webhook.name, 'dead');
    logger.error(where, 'webhook given up; the event is in the dead-letter stream');
  } catch (error) {
    logger.error({ ...where, err: error }, 'dead letter not stored; trying again');
    letter.again(LONGEST_WAIT_MS);
  }
}

/** @param attempt the one that failed, 1 or more */
export function waitMs(attempt: number): number {
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempt - 1));
}

/** @returns why it was not delivered; undefined when it was */
async function post(
  { url, secret, timeoutMs }: Webhook,
  { id, event }: Letter,
  { clock, fetch }: CourierParts,
): Promise<string | undefined> {
  const body = JSON.stringify(event);
  const headers = {
    'content-type': 'application/json',
    ...signedHeaders(id, clock.now(), body, secret),
  };
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    // A redirect would carry the signed body to somewhere that nobody configured.
    const response = await fetch(url, {
      method: 'POST',
      headers,
      body,
      signal,
      redirect: 'manual',
    });
    await response.body?.cancel();
    return response.ok ? undefined : `HTTP ${response.status}`;
  } catch (error) {
    if (!(error instanceof Error)) return String(error);
    return error.cause instanceof Error ? error.cause.message : error.message;
  }
}

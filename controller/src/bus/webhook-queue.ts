import { AckPolicy, type Consumer, DeliverPolicy, type JsMsg } from 'nats';
import type { Clock } from '#common/clock.ts';
import type { Logger } from '#common/log.ts';
import * as wire from '#proto/gen/skein/v1/audit.ts';
import { AUDIT_STREAM, auditSubject, deadLetterSubject } from '#proto/subjects.ts';
import { auditFromWire } from '../audit/audit-wire.ts';
import type { Letter } from '../webhooks/courier.ts';
import { eventOf, type WebhookEvent } from '../webhooks/event.ts';
import type { Stores } from './stores.ts';

/** JetStream hands a letter out again after so long without an answer; no delivery takes longer. */
const ACK_WAIT_NS = 120_000_000_000;
/** Deliveries to one webhook under way at a time. */
const BATCH = 16;
const FETCH_MS = 10_000;
const RETRY_MS = 5_000;

export interface WebhookQueueParts {
  readonly stores: Pick<Stores, 'js' | 'jsm'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Rejects when the queue cannot be told how it ended. */
  readonly carry: (letter: Letter) => Promise<void>;
}

/**
 * One webhook's place in the audit stream: a durable consumer, shared by all controllers, so each record is carried
 * by one of them and none is forgotten when they die. A new webhook begins with what happens from then on.
 *
 * @param name of the webhook
 * @returns stops it; what is under way is carried to its end or handed out again later
 */
export function followWebhook(name: string, parts: WebhookQueueParts): () => void {
  const { stores, clock, logger } = parts;
  const stopped = new AbortController();
  const pause = () =>
    new Promise<void>((resolve) => {
      const end = () => {
        cancel();
        stopped.signal.removeEventListener('abort', end);
        resolve();
      };
      const cancel = clock.after(RETRY_MS, end);
      stopped.signal.addEventListener('abort', end);
    });
  const run = async () => {
    while (!stopped.signal.aborted) {
      try {
        const consumer = await openConsumer(stores, name);
        while (!stopped.signal.aborted) await takeBatch(consumer, name, parts, stopped.signal);
      } catch (error) {
        if (stopped.signal.aborted) return;
        logger.warn({ err: error, webhook: name }, 'webhook queue not readable; trying again');
        await pause();
      }
    }
  };
  void run();
  return () => stopped.abort();
}

async function openConsumer({ js, jsm }: Pick<Stores, 'js' | 'jsm'>, name: string) {
  const durable = `webhook-${name}`;
  await jsm.consumers.add(AUDIT_STREAM, {
    durable_name: durable,
    filter_subject: auditSubject('>'),
    ack_policy: AckPolicy.Explicit,
    ack_wait: ACK_WAIT_NS,
    deliver_policy: DeliverPolicy.New,
    max_ack_pending: 1_000,
  });
  return js.consumers.get(AUDIT_STREAM, durable);
}

async function takeBatch(
  consumer: Consumer,
  name: string,
  parts: WebhookQueueParts,
  signal: AbortSignal,
): Promise<void> {
  const messages = await consumer.fetch({ max_messages: BATCH, expires: FETCH_MS });
  const stop = () => messages.stop();
  signal.addEventListener('abort', stop);
  const underWay: Promise<void>[] = [];
  const carried = async (letter: Letter) => {
    try {
      await parts.carry(letter);
    } catch (error) {
      // The connection is gone, and with it the answer: it is handed out again.
      parts.logger.warn({ err: error, webhook: name, id: letter.id }, 'webhook not answered for');
    }
  };
  try {
    for await (const message of messages) {
      const letter = letterOf(message, name, parts);
      if (letter) underWay.push(carried(letter));
      else message.ack();
    }
  } finally {
    signal.removeEventListener('abort', stop);
    await Promise.all(underWay);
  }
}

/** @returns undefined for a record that no webhook is told of, or that cannot be read */
function letterOf(
  message: JsMsg,
  name: string,
  { stores, logger }: WebhookQueueParts,
): Letter | undefined {
  let event: WebhookEvent | undefined;
  try {
    event = eventOf(auditFromWire(wire.AuditRecord.decode(message.data)));
  } catch (error) {
    logger.error({ err: error, sequence: message.seq }, 'audit record cannot be read');
  }
  if (!event) return undefined;
  const id = message.headers?.get('Nats-Msg-Id') || `sequence:${message.seq}`;
  return {
    id,
    event,
    attempt: message.info.deliveryCount,
    done: () => message.ack(),
    again: (afterMs) => message.nak(afterMs),
    async bury(reason) {
      const text = JSON.stringify({ webhook: name, id, reason, event });
      await stores.js.publish(deadLetterSubject(name), text, { msgID: `${name}:${id}` });
      message.ack();
    },
  };
}

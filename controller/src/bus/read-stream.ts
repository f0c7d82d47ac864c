import { consumerOpts, type JetStreamClient, type JsMsg } from 'nats';
import { noAnswer, READ_DEADLINE_MS, withDeadline } from './deadline.ts';
import { natsFailure } from './nats-failure.ts';

/** Without a message for so long, the server is asked whether that was all. */
const LOOK_MS = 50;

/** Where in a stream to begin. */
export type From = { readonly sequence: number } | { readonly time: Date };

/**
 * Reads the messages of a subject from `from` (or the beginning) to what is the end now, in order. Used for KV buckets as
 * well: the client's own KV.history() (nats 2.29) hands out an undefined entry when the key is written meanwhile.
 *
 * @throws SkeinError SKEIN_NATS_UNAVAILABLE; SKEIN_STORE_REFUSED when the stream is gone
 */
export async function readStream(
  js: JetStreamClient,
  stream: string,
  subject: string,
  { from, headersOnly = false }: { readonly from?: From; readonly headersOnly?: boolean },
  onMessage: (message: JsMsg) => void,
): Promise<void> {
  const what = `nats: reading ${stream}`;
  const options = consumerOpts();
  options.bindStream(stream);
  options.orderedConsumer();
  if (!from) options.deliverAll();
  else if ('time' in from) options.startTime(from.time);
  else options.startSequence(from.sequence);
  if (headersOnly) options.headersOnly();
  try {
    const subscription = await withDeadline(what, js.subscribe(subject, options));
    // How long it takes in all depends on how much there is; only silence means that the server is away.
    const late = Promise.withResolvers<never>();
    const idle = setTimeout(() => late.reject(noAnswer(what)), READ_DEADLINE_MS);
    let seen = 0;
    let quiet = false;
    const isAtEnd = async () => {
      const { num_pending, delivered } = await subscription.consumerInfo();
      return num_pending === 0 && (delivered.consumer_seq === 0 || delivered.stream_seq <= seen);
    };
    // A message that is stored while the consumer is made may be counted twice, and the last one say that one is to come.
    const look = setInterval(async () => {
      if (quiet && (await isAtEnd().catch(() => false))) subscription.unsubscribe();
      quiet = true;
    }, LOOK_MS);
    const read = async () => {
      if (await isAtEnd()) return;
      for await (const message of subscription) {
        idle.refresh();
        quiet = false;
        onMessage(message);
        seen = message.seq;
        if (message.info.pending === 0) return;
      }
    };
    try {
      await Promise.race([read(), late.promise]);
    } finally {
      clearTimeout(idle);
      clearInterval(look);
      subscription.unsubscribe();
    }
  } catch (error) {
    throw natsFailure(what, error);
  }
}

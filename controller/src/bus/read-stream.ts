import { consumerOpts, type JetStreamClient, type JsMsg } from 'nats';
import { natsFailure, noAnswer, READ_DEADLINE_MS, withDeadline } from './deadline.ts';

/** Where in a stream to begin. */
export type From = { readonly sequence: number } | { readonly time: Date };

/**
 * Reads the messages of a subject from `from` (or the beginning) to what is the end now, in order. Used for KV buckets as
 * well: the client's own KV.history() (nats 2.29) hands out an undefined entry when the key is written meanwhile.
 *
 * @throws SkeinError SKEIN_NATS_UNAVAILABLE
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
    const read = async () => {
      const { num_pending, delivered } = await subscription.consumerInfo();
      if (num_pending + delivered.consumer_seq === 0) return;
      for await (const message of subscription) {
        idle.refresh();
        onMessage(message);
        if (message.info.pending === 0) return;
      }
    };
    try {
      await Promise.race([read(), late.promise]);
    } finally {
      clearTimeout(idle);
      subscription.unsubscribe();
    }
  } catch (error) {
    throw natsFailure(what, error);
  }
}

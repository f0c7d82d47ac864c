import { createHmac, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import { z } from 'zod';

const transitionEvent = z.object({
  type: z.literal('rollout.transition'),
  data: z.object({ rollout: z.string(), sequence: z.number() }),
});

interface Delivery {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const TOLERANCE_S = 300;

/** Somebody who is told of what happens, and believes only what is signed. */
export class WebhookReceiver implements AsyncDisposable {
  readonly url: string;
  readonly #server: Server;
  readonly #deliveries: Delivery[];

  private constructor(server: Server, url: string, deliveries: Delivery[]) {
    this.#server = server;
    this.url = url;
    this.#deliveries = deliveries;
  }

  static async listen(): Promise<WebhookReceiver> {
    const deliveries: Delivery[] = [];
    const server = createServer(async (request, response) => {
      deliveries.push({ headers: request.headers, body: await text(request) });
      response.writeHead(204).end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (typeof address !== 'object' || !address) throw new Error('the receiver has no port');
    return new WebhookReceiver(server, `http://127.0.0.1:${address.port}/`, deliveries);
  }

  /** Deliveries whose signature is not of the secret. */
  forged(secret: string): number {
    return this.#deliveries.filter((each) => !isSigned(each, secret)).length;
  }

  /** Sequences of the transitions of a rollout that it was told of, each once, in order. */
  transitions(rollout: string): readonly number[] {
    const told = this.#deliveries.flatMap(({ body }) => {
      const { data: event } = transitionEvent.safeParse(JSON.parse(body));
      return event?.data.rollout === rollout ? [event.data.sequence] : [];
    });
    return [...new Set(told)].sort((a, b) => a - b);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }
}

/** As the Standard Webhooks specification has receivers do it. */
function isSigned({ headers, body }: Delivery, secret: string): boolean {
  const {
    'webhook-id': id,
    'webhook-timestamp': time,
    'webhook-signature': signatures = '',
  } = headers;
  if (Math.abs(Date.now() / 1_000 - Number(time)) > TOLERANCE_S) return false;
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const expected = createHmac('sha256', key).update(`${id}.${time}.${body}`).digest();
  return String(signatures)
    .split(' ')
    .some((signature) => {
      const [version, encoded = ''] = signature.split(',');
      const given = Buffer.from(encoded, 'base64');
      return (
        version === 'v1' && given.length === expected.length && timingSafeEqual(given, expected)
      );
    });
}

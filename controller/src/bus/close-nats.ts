import type { NatsConnection } from 'nats';

const DRAIN_MS = 2_000;

/** What is not sent yet gets a moment; a server that is away gets none. */
export async function closeNats(nc: NatsConnection): Promise<void> {
  const cancelled = new Promise<void>((resolve) => setTimeout(resolve, DRAIN_MS).unref());
  await Promise.race([nc.drain().catch(() => {}), cancelled]);
  await nc.close();
}
